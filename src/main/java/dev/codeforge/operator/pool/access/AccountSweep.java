package dev.codeforge.operator.pool.access;

import dev.codeforge.identity.AccountPlanner;
import dev.codeforge.identity.NamespaceIdentity;
import dev.codeforge.jetstream.Accounts;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.operator.sweep.Sweep;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes the accounts of deleted namespaces. If a namespace is deleted with its pools, the last pool's deletion
 * deletes the account. The sweep finds accounts whose pools were deleted earlier, or whose deletion was interrupted.
 */
public final class AccountSweep implements Sweep {
    private static final Logger LOG = LoggerFactory.getLogger(AccountSweep.class);

    private final KubernetesClient client;
    private final Accounts accounts;
    private final AccountPlanner planner;
    /** By the account's id, and never changed: empty for an account that is no namespace's of this installation. */
    private final Map<String, Optional<NamespaceIdentity>> namespaces = new ConcurrentHashMap<>();

    public AccountSweep(KubernetesClient client, Accounts accounts, AccountPlanner planner) {
        this.client = client;
        this.accounts = accounts;
        this.planner = planner;
    }

    @Override
    public void run() {
        for (final String account : accounts.list()) {
            namespaceOf(account).filter(this::isGone).ifPresent(gone -> forget(account, gone));
        }
    }

    private Optional<NamespaceIdentity> namespaceOf(String account) {
        final Optional<NamespaceIdentity> known = namespaces.get(account);
        if (known != null) {
            return known;
        }
        final Optional<String> jwt = accounts.find(account);
        final Optional<NamespaceIdentity> found = jwt.flatMap(said -> planner.namespaceOf(account, said));
        if (jwt.isPresent()) {
            namespaces.put(account, found);
        }
        return found;
    }

    /** True if the namespace does not exist. A namespace of that name with another UID has an account of its own. */
    private boolean isGone(NamespaceIdentity namespace) {
        try {
            final Namespace there =
                    client.namespaces().withName(namespace.name()).get();
            return there == null || !there.getMetadata().getUid().equals(namespace.uid());
        } catch (KubernetesClientException e) {
            if (e.getCode() == HttpURLConnection.HTTP_FORBIDDEN) {
                // The namespace is not served any more, and the operator has no right to read it.
                return false;
            }
            throw e;
        }
    }

    private void forget(String account, NamespaceIdentity gone) {
        try {
            accounts.delete(planner.deletion(gone));
            namespaces.remove(account);
            LOG.info("NATS has forgotten the account of namespace {}, which is gone", gone.name());
        } catch (QueueUnavailableException e) {
            // The sweep goes on with other accounts, and tries this one again next time.
            LOG.warn(
                    "NATS does not forget the account of namespace {}, which is gone: {}", gone.name(), e.getMessage());
        }
    }
}
