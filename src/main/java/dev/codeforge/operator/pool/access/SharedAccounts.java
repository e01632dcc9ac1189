package dev.codeforge.operator.pool.access;

import dev.codeforge.identity.AccountPlan;
import dev.codeforge.identity.AccountPlanner;
import dev.codeforge.jetstream.Accounts;
import dev.codeforge.jetstream.QueueUnavailableException;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The accounts that every installation has. Without the account of the streams the operator cannot sign in. */
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

    /** Writes those accounts that the server lacks, or has in another form. */
    public void keep() {
        for (final String id : planner.shared()) {
            carryOut(planner.planShared(id, accounts.find(id)));
        }
    }

    /** As {@link #keep}, before a login: if this fails, the login reports the problem. */
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
