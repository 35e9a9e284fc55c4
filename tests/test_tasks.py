import numpy as np
import pytest

from topomod.tasks import ModularAddition, task_from_description


def test_targets() -> None:
    targets = ModularAddition(p=6).targets()
    assert targets.shape == (6, 6) and targets[4, 5] == 3 and np.array_equal(targets, targets.T)


@pytest.mark.parametrize("p", [2, -3, True])
def test_bad_modulus(p: int) -> None:
    with pytest.raises(ValueError, match="p must be an integer >= 3"):
        ModularAddition(p=p)


def test_description_rebuilds_the_task() -> None:
    task = ModularAddition(p=9)
    assert task_from_description(task.describe()) == task
    with pytest.raises(ValueError, match="unknown task 'sorting'; known tasks: modular_addition"):
        task_from_description({"name": "sorting"})
