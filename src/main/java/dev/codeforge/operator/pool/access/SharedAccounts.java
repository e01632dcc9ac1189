package dev.codeforge.operator.pool.access;

import dev.codeforge.identity.AccountPlan;
import dev.codeforge.identity.AccountPlanner;
import dev.codeforge.jetstream.Accounts;
import dev.codeforge.jetstream.QueueUnavailableException;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The accounts that an installation has whatever its namespaces: without that of the streams the operator has no way in. */
public final class SharedAccounts {
    private static final Logger LOG = LoggerFactory.getLogger(SharedAccounts.class);

    private final Accounts accounts;
    private final AccountPlanner planner;

    public SharedAccounts(Accounts accounts, AccountPlanner planner) {
        this.accounts = accounts;
        this.planner = planner;
    }

    Set<String> ids() {
        return planner.shared();
    }

    /** Gives the server what it lacks of them. */
    public void keep() {
        for (final String id : planner.shared()) {
            carryOut(planner.planShared(id, accounts.find(id)));
        }
    }

    /** Before a login, which says for itself what then is missing. */
    public void keepIfPossible() {
        try {
            keep();
        } catch (QueueUnavailableException e) {
            LOG.warn("NATS may not know the account of the streams: {}", e.getMessage());
        }
    }

    void carryOut(AccountPlan plan) {
        switch (plan) {
            case AccountPlan.Keep ignored -> LOG.debug("an account of NATS is as wanted");
            case AccountPlan.Push push -> accounts.push(push.jwt());
            case AccountPlan.Delete delete -> accounts.delete(delete.jwt());
        }
    }
}
