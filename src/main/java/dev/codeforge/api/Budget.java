package dev.codeforge.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import org.jspecify.annotations.Nullable;

/** What a task may use, over all its attempts since its creation or last rerun. A task's fields win over its pool's. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
@ValidationRule(
        value = "has(self.maxTokens) || has(self.maxCostUSD)",
        message = "a budget limits something: set maxTokens or maxCostUSD, or leave budget out")
@ValidationRule(
        value = "!has(self.maxCostUSD) || !self.maxCostUSD.matches('^[0.]+$')",
        message = "maxCostUSD must be more than 0")
public record Budget(
        @Nullable
                @Min(1)
                @Max(1_000_000_000_000L)
                @JsonPropertyDescription(
                        "Tokens, sent and received, 1 to 1,000,000,000,000. When they are used up, no call of the model is made, and the run fails with BudgetExceeded. Default: no limit.")
                Long maxTokens,
        @Nullable
                @Size(max = 16)
                @Pattern("^[0-9]{1,9}(\\.[0-9]{1,6})?$")
                @JsonPropertyDescription(
                        "US dollars as a decimal in quotes, such as \"2.50\", 0.000001 to 999,999,999. When they are spent, no call of the model is made, and the run fails with BudgetExceeded. A call without a known price ends the run with UnpricedModel. Default: no limit.")
                String maxCostUSD) {}
