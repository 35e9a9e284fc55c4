"""The columns that stored tables must have: those that name a row, and those that later stages read."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

KEY = ["architecture", "seed", "step"]


@dataclass(frozen=True)
class Columns:
    """Columns of one stored table.

    Parameters
    ----------
    row : str
        Those that name a row, beside ``KEY``; no two rows share them.
    needed : str
        Others that have to be there.
    measured : str
        Others that are there as soon as one circuit's weights are finite.
    repeated : bool
        Whether rows may be alike, as bars of a diagram are.
    of_circuits : bool
        Whether rows belong to a circuit, and so begin with ``KEY``.
    """

    row: str = ""
    needed: str = ""
    measured: str = ""
    repeated: bool = False
    of_circuits: bool = True

    @property
    def names(self) -> list[str]:
        """Those that name a row."""
        return [*(KEY if self.of_circuits else []), *self.row.split()]


TABLES = {
    "circuits": Columns(
        needed="converged reason accuracy loss purity n_groups",
        measured="n_neurons n_dead n_second_order readout_sum_r2 gradient_symmetricity distance_irrelevance "
        "distance_irrelevance_runner_up circularity sufficiency_accuracy sufficiency_loss sufficiency_r2 "
        "necessity_accuracy necessity_loss steering_share steering_control steering_phase_error separability "
        "off_manifold clock_position",
    ),
    "groups": Columns(
        "frequency",
        "normalized_frequency n_neurons power first_order_r2 second_order_r2 phase_coherence phase_difference "
        "amplitude_ratio disc_cka torus_cka circle_cka disc_rsm torus_rsm circle_rsm disc_cka_fixed disc_rsm_fixed "
        "top2_variance top4_variance logit_circle_cka logit_disc_cka coordinate_circle_cka coordinate_disc_cka "
        "logit_power_share winding_a winding_b winding_agreement winding_clearance winding_is_sum torus_distance",
    ),
    "phases": Columns("frequency neuron", "a b centroid_a centroid_b"),
    "homology": Columns(
        "frequency site",
        "n_neurons label forced_label confidence hole hole_upper_bound rank fine_rank share sigma agreement reason "
        "h1_persistence h2_persistence n_points_used winding betti_0 betti_1 betti_2",
    ),
    "diagrams": Columns("frequency site dimension", "birth death", repeated=True),
    "frequencies": Columns(needed="converged accuracy"),
    "ablation": Columns("site kind n", "converged accuracy"),
    "measures": Columns(needed="converged reason accuracy"),
    "neurons": Columns("neuron", "norm feature max_power phase_error"),
    "irreps": Columns("irrep", "dimension commutant n_neurons share expected_share limit_share"),
    "manifolds": Columns("irrep site", "group label n_neurons"),
    "curves": Columns(needed="loss train_accuracy test_accuracy unseen_accuracy"),
    "endpoints": Columns("endpoint", "converged value"),
    "summary": Columns("architecture endpoint", "n mean sd ci_low ci_high", of_circuits=False),
    "summary_of_measures": Columns(
        "architecture measure", "title n mean ci_low ci_high least most untrained", of_circuits=False
    ),
    "verdicts": Columns(
        "role x y endpoint",
        "family title margin_reason mean_x mean_y difference ci_low ci_high p_equivalence p_difference p_beyond margin "
        "n_x n_y method alpha verdict_unadjusted note p_equivalence_adjusted p_difference_adjusted p_beyond_adjusted "
        "verdict answer small_difference cluster level_equivalence level_difference caveat unseen_share",
        of_circuits=False,
    ),
    "answers": Columns(
        "question endpoint",
        "x y answer lead sentence estimate sensitivity_sentence exceptions to_settle caveat alpha title unit mean_x "
        "mean_y difference ci_low ci_high margin margin_reason primary_answer small_difference p_equivalence "
        "p_beyond_adjusted p_difference_adjusted sensitivity n_needed n_secondary effective_secondary",
        of_circuits=False,
    ),
    "looks": Columns("n question", "answer level declared last", of_circuits=False),
    "power": Columns("endpoint", "family title level margin n_pilot", of_circuits=False),
}


def table_fault(name: str, table: pd.DataFrame) -> str:
    """What is wrong with a stored table, as the end of a sentence that names it; empty if nothing is.

    Parameters
    ----------
    name : str
        Of the file without its ending; tables of other names are not checked.
    table : DataFrame
        As it was read.
    """
    columns = TABLES.get(name)
    if columns is None or table.empty:
        return ""
    wanted = [*columns.names, *columns.needed.split()]
    if "accuracy" in table and table["accuracy"].notna().any():
        wanted += columns.measured.split()
    if missing := [column for column in wanted if column not in table]:
        return f"has no column {', '.join(missing)}"
    wrong = [column for column in ("seed", "step") if column in wanted and table[column].dtype.kind not in "iu"]
    if wrong:
        return f"has no whole numbers in the column {', '.join(wrong)}"
    if columns.repeated or not (twice := table.duplicated(columns.names)).any():
        return ""
    row = table.loc[twice, columns.names].iloc[0].to_dict()
    return f"has several rows of {', '.join(f'{key} {value}' for key, value in row.items())}"
