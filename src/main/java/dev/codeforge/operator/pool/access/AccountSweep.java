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
 * Has NATS forget the accounts of namespaces that are gone. A namespace takes its account along when it ends with its last
 * pool; one whose pools went before, and one whose deletion was cut short, is found here.
 */
public final class AccountSweep implements Sweep {
    private static final Logger LOG = LoggerFactory.getLogger(AccountSweep.class);

    private final KubernetesClient client;
    private final Accounts accounts;
    private final AccountPlanner planner;
    /** By the account's id, what never changes: empty for an account of somebody else. */
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

    /** One of the same name is another, with an account of its own. */
    private boolean isGone(NamespaceIdentity namespace) {
        try {
            final Namespace there =
                    client.namespaces().withName(namespace.name()).get();
            return there == null || !there.getMetadata().getUid().equals(namespace.uid());
        } catch (KubernetesClientException e) {
            if (e.getCode() == HttpURLConnection.HTTP_FORBIDDEN) {
                // Not served any more: whether it is there is not ours to know.
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
            // Others may still be forgotten; this one is tried again.
            LOG.warn(
                    "NATS does not forget the account of namespace {}, which is gone: {}", gone.name(), e.getMessage());
        }
    }
}
