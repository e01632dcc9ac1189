package dev.codeforge.console.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.codeforge.console.hub.Request;
import dev.codeforge.console.hub.Topic;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RequestReaderTest {
    @Test
    void aSubscriptionIsOfPoolsTasksAndEventsUnlessItSaysOtherwise() throws Exception {
        assertThat(subscription("{'type':'subscribe','id':'a','namespace':'team'}"))
                .isEqualTo(new Request(
                        "a",
                        "team",
                        Optional.empty(),
                        Optional.empty(),
                        Map.of(),
                        Set.of(Topic.POOLS, Topic.TASKS, Topic.EVENTS),
                        Optional.empty(),
                        Optional.empty()));
        assertThat(subscription(
                        "{'type':'subscribe','id':'a','namespace':'team','pool':'p','task':'t','labels':'a=b,c=d',"
                                + "'topics':['log','events'],'afterEvent':17,'afterLine':0}"))
                .isEqualTo(new Request(
                        "a",
                        "team",
                        Optional.of("p"),
                        Optional.of("t"),
                        Map.of("a", "b", "c", "d"),
                        Set.of(Topic.LOG, Topic.EVENTS),
                        Optional.of(17L),
                        Optional.of(0L)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\u0001',
            value = {
                "no JSON | no JSON",
                "[] | no JSON object",
                "{} | `type` is none of",
                "{'type':'hello'} | `token` is missing",
                "{'type':'subscribe','id':'a'} | `namespace` is missing",
                "{'type':'subscribe','namespace':'team'} | `id` is missing",
                "{'type':'subscribe','id':'a','namespace':'team','pods':1} | `pods` is not known here",
                "{'type':'subscribe','id':'a','namespace':'team','topics':['pods']} | none of pools, tasks, events, log",
                "{'type':'subscribe','id':'a','namespace':'team','topics':[]} | `topics` is empty",
                "{'type':'subscribe','id':'a','namespace':'team','topics':['log']} | a log is of one task",
                "{'type':'subscribe','id':'a','namespace':'team','labels':'a'} | which is not key=value",
                "{'type':'subscribe','id':'a','namespace':'team','afterEvent':-1} | `afterEvent` is no sequence",
                "{'type':'subscribe','id':'a','namespace':'team','afterLine':'x'} | `afterLine` is no sequence"
            })
    void whatIsNoRequestIsRefusedByASentence(String text, String sentence) {
        assertThatThrownBy(() -> RequestReader.read(text.replace('\'', '"')))
                .isInstanceOf(RequestReader.InvalidRequestException.class)
                .hasMessageContaining(sentence);
    }

    @Test
    void aStreamContinuesWhereItsLastIdIs() throws Exception {
        final Request request = RequestReader.query(
                Map.of("namespace", List.of("team"), "afterEvent", List.of("3")), Optional.of("17-"));
        assertThat(request.afterEvent()).contains(17L);
        assertThat(request.afterLine()).isEmpty();
        assertThat(RequestReader.query(Map.of("namespace", List.of("team")), Optional.of("nonsense"))
                        .afterEvent())
                .isEmpty();
        assertThatThrownBy(() -> RequestReader.query(Map.of("namespace", List.of("team", "other")), Optional.empty()))
                .hasMessageContaining("more than once");
    }

    private static Request subscription(String text) throws Exception {
        return ((RequestReader.Said.Subscribe) RequestReader.read(text.replace('\'', '"'))).request();
    }
}
