from webhook.controllers.lanes import Lanes


def test_a_lane_takes_as_many_as_it_is_wide():
    lanes = Lanes(2)
    assert [lanes.enter(key, "quay.io") for key in "abc"] == [True, True, False]


def test_lanes_do_not_hinder_each_other():
    lanes = Lanes(1)
    assert lanes.enter("a", "quay.io")
    assert lanes.enter("b", "ghcr.io")


def test_who_leaves_hands_the_place_to_who_has_waited_longest():
    lanes = Lanes(1)
    for key in "abc":
        lanes.enter(key, "quay.io")
    assert lanes.leave("a") == "b"
    assert not lanes.enter("d", "quay.io")
    assert lanes.enter("b", "quay.io")
    assert [lanes.leave(key) for key in "bcd"] == ["c", "d", None]


def test_a_key_waits_once_however_often_it_comes():
    lanes = Lanes(1)
    for key in "abbb":
        lanes.enter(key, "quay.io")
    assert [lanes.leave("a"), lanes.leave("b")] == ["b", None]


def test_a_key_that_has_gone_to_another_lane_no_longer_waits():
    lanes = Lanes(1)
    for key in "abc":
        lanes.enter(key, "quay.io")
    assert lanes.enter("b", "ghcr.io")
    assert lanes.leave("a") == "c"
    assert lanes.leave("b") is None


def test_who_is_not_inside_leaves_nothing():
    lanes = Lanes(1)
    assert lanes.leave("a") is None
    assert lanes.enter("a", "quay.io")


def test_a_lane_that_empties_is_as_wide_as_before():
    lanes = Lanes(1)
    for _ in range(3):
        assert lanes.enter("a", "quay.io")
        assert lanes.leave("a") is None
