"""A worker on a NATS that believes keys, not passwords: what other tests see of one, seen again."""

from __future__ import annotations

import pytest
import test_artifacts
import test_draining
import test_failures
import test_happy_path
import test_holding
import test_pool_config
import test_stopping

pytestmark = pytest.mark.parametrize("server", ["jwt"], indirect=True)

test_a_task = test_happy_path.test_runs_the_command_and_reports
test_a_plain_message = test_happy_path.test_a_plain_message_of_another_producer
test_files = test_artifacts.test_files_in_the_folder_are_stored
test_settings = test_pool_config.test_a_change_holds_for_the_next_task
test_a_holder = test_holding.test_the_holder_is_asked_and_left_alone
test_a_lost_worker = test_holding.test_killed_in_the_middle_another_finishes
test_dead_letters = test_holding.test_max_deliveries
test_control = test_failures.test_cancel
test_drain = test_draining.test_an_idle_worker_is_drained_and_another_runs_the_next_task
test_finish = test_draining.test_a_busy_worker_ends_what_it_has_and_takes_no_more_when_it_is_to_finish
test_giving_back = test_stopping.test_a_task_that_takes_too_long_is_given_back
test_an_outage = test_stopping.test_nats_restarts_in_the_middle
