package dev.codeforge.operator.service;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.Names;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.FieldValidateable;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.net.HttpURLConnection;
import java.util.Map;
import java.util.Optional;

/** Creates the requested AgentTasks. The API server validates them as it does all others. */
final class RequestedTasks {
    private static final int UNPROCESSABLE = 422;
    private static final ResourceDefinitionContext TASKS = ResourceDefinitionContext.fromResourceType(AgentTask.class);

    private final KubernetesClient client;

    RequestedTasks(KubernetesClient client) {
        this.client = client;
    }

    Optional<AgentTask> find(String namespace, String name) {
        return Optional.ofNullable(client.resources(AgentTask.class)
                .inNamespace(namespace)
                .withName(name)
                .get());
    }

    /** The task with this name, created or found; empty when the found one was deleted just now. */
    Optional<AgentTask> create(Ask ask, String name) throws RefusedException {
        try {
            final GenericKubernetesResource made = client.genericKubernetesResources(TASKS)
                    .inNamespace(ask.namespace())
                    .resource(resource(ask, name))
                    .fieldValidation(FieldValidateable.Validation.STRICT)
                    .create();
            return Optional.of(Serialization.unmarshal(Serialization.asJson(made), AgentTask.class));
        } catch (KubernetesClientException e) {
            if (e.getCode() == HttpURLConnection.HTTP_CONFLICT) {
                return find(ask.namespace(), name);
            }
            throw new RefusedException(refusal(ask, e));
        }
    }

    private static GenericKubernetesResource resource(Ask ask, String name) {
        final Map<String, String> annotations = ask.traceparent()
                .map(value -> Map.of(Names.TRACEPARENT_ANNOTATION, value))
                .orElse(Map.of());
        final GenericKubernetesResource resource = new GenericKubernetesResource();
        resource.setApiVersion(HasMetadata.getApiVersion(AgentTask.class));
        resource.setKind(HasMetadata.getKind(AgentTask.class));
        resource.setMetadata(new ObjectMetaBuilder()
                .withName(name)
                // The CRD allows a time to live only on tasks that no applier recreates. Requested tasks qualify, and
                // generateName satisfies the rule.
                .withGenerateName(TaskNames.prefix(ask))
                .withNamespace(ask.namespace())
                .addToLabels("app.kubernetes.io/managed-by", "codeforge-operator")
                .addToLabels(Names.POOL_LABEL, ask.pool())
                .addToAnnotations(annotations)
                .build());
        resource.setAdditionalProperty("spec", ask.fields());
        return resource;
    }

    private static Refusal refusal(Ask ask, KubernetesClientException error) {
        final Status status = error.getStatus();
        final String why = status == null || status.getMessage() == null ? error.getMessage() : status.getMessage();
        return switch (error.getCode()) {
            case HttpURLConnection.HTTP_BAD_REQUEST, UNPROCESSABLE ->
                Refusal.invalid("The API server refuses the task: " + why);
            case HttpURLConnection.HTTP_NOT_FOUND -> Refusal.noPool(ask.namespace(), ask.pool());
            case HttpURLConnection.HTTP_FORBIDDEN ->
                why.contains("exceeded quota")
                        ? Refusal.full("The namespace has all the AgentTasks that its quota allows: " + why)
                        : Refusal.unavailable("The API server lets no task be created: " + why);
            default ->
                Refusal.unavailable("The API server did not take the task (" + why
                        + "). Ask again with the same Nats-Msg-Id; without one, see first whether the task is there.");
        };
    }
}
