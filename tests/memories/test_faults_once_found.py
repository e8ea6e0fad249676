"""The eleven faults that memories once had, each with the tests that would fail if it came back."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
FAULTS = {
    "a plan groups by how common a command is, and mixes projects": (
        "memories/test_planning.py::test_one_error_in_two_sessions_is_offered_with_its_mending_and_what_it_rests_on",
        "memories/test_planning.py::test_an_error_of_one_root_session_of_a_project_is_not_offered",
        "memories/test_planning.py::test_a_plan_is_bounded_the_same_in_any_order_and_no_reason_crowds_out_the_others",
    ),
    "the gate lets bad drafts in, refuses faithful ones, and citing knows no outcome": (
        "memories/test_gate.py::test_a_faithful_draft_is_let_in",
        "memories/test_gate.py::test_a_bad_draft_is_refused_by_name",
        "memories/test_gate.py::test_a_contradiction_is_not_called_the_same",
        "memories/test_gate.py::test_evidence_that_holds_instructions_bears_nothing",
        "memories/test_quorum.py::test_a_quorum_is_two_root_sessions_and_two_sources",
        "memories/test_superseding.py::test_many_good_memories_are_not_collapsed_into_one_that_says_less",
        "memories/test_citing.py::test_what_is_cited_says_how_it_ended_and_when",
    ),
    "any step of a user makes any sentence the user's own": (
        "memories/test_users_word.py::test_what_is_turned_round_wrapped_or_pasted_is_not",
        "memories/test_users_word.py::test_any_other_sentence_over_the_users_step_is_not_the_users",
        "memories/test_retrusting.py::test_what_was_only_called_the_users_is_trusted_for_what_bears_it",
    ),
    "a sentence without evidence overturns what is established": (
        "memories/test_superseding.py::test_a_candidate_stands_beside_what_is_established_as_its_challenger",
        "runbook/test_memories_on_the_page.py::test_a_challenged_procedure_still_is_one_and_names_its_challenger",
        "memories/test_times.py::test_a_runbook_of_then_tells_what_held_then",
    ),
    "what was retired stands first under Procedures, unflagged": (
        "memories/test_superseding.py::test_what_was_retired_is_flagged_and_no_procedure",
        "runbook/test_memories_on_the_page.py::test_what_no_longer_holds_is_never_listed_as_a_procedure",
        "memories/test_properties.py::test_after_any_moves_all_of_it_holds",
    ),
    "an old belief said again comes back, and one memory has two successors": (
        "memories/test_superseding.py::test_saying_an_old_belief_again_does_not_bring_it_back",
        "memories/test_superseding.py::test_a_memory_has_one_live_successor",
        "memories/test_superseding.py::test_a_successor_that_is_forgotten_names_what_it_leaves_behind",
        "memories/test_times.py::test_what_is_learned_later_and_tells_of_earlier_supersedes_nothing",
    ),
    "undo out of order, of what grew, twice, of feedback, and searches differ after it": (
        "forgetting/test_undo.py::test_what_stands_in_the_way_is_named_and_nothing_is_changed",
        "forgetting/test_undo.py::test_undoing_a_batch_that_grew_a_session_takes_back_what_it_brought",
        "memories/test_superseding.py::test_a_batch_is_undone_once_until_that_is_undone",
        "memories/test_feedback.py::test_feedback_is_undone_once_and_given_back",
        "forgetting/test_undo.py::test_dead_versions_leave_the_word_statistics",
        "forgetting/test_undo.py::test_whatever_is_done_and_undone_searches_are_the_same_to_the_byte",
    ),
    "restore does not restore, and one of three sessions demotes": (
        "memories/test_resting.py::test_restoring_gives_evidence_and_standing_back",
        "memories/test_resting.py::test_two_of_three_sessions_still_are_a_quorum",
    ),
    "import believes a forged line, and brings back what was purged": (
        "importing/test_bank_export.py::test_a_forged_line_never_stands_nor_is_it_said_unasked",
        "importing/test_bank_export.py::test_what_was_purged_stays_away_when_an_older_export_is_read",
    ),
    "an unknown outcome counts as failure, counters hang on a version, shown and opened are not counted": (
        "memories/test_feedback.py::test_a_use_of_unknown_outcome_is_no_failure",
        "memories/test_feedback.py::test_counters_belong_to_the_words_and_outlive_a_new_version",
        "search/test_uses.py::test_shown_and_opened_are_counted_for_the_words",
    ),
    "plain contradictions are missed, and comparing stands in the event loop": (
        "memories/test_planning.py::test_plain_contradictions_are_told_from_duplicates",
        "memories/test_planning.py::test_comparing_many_memories_leaves_the_loop_free",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_tests(fault: str) -> None:
    for name in FAULTS[fault]:
        file, _, test = name.partition("::")
        assert re.search(
            rf"^(?:async )?def {test}\(", (TESTS / file).read_text("utf-8"), re.MULTILINE
        ), name


def test_there_are_eleven() -> None:
    assert len(FAULTS) == 11
