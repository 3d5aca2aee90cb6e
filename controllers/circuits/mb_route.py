"""The mushroom body as a memory of a route: the same circuit, its output neuron tells how new a view is."""

from __future__ import annotations

from insectbot.controllers.circuits.mushroom_body import mushroom_body
from insectbot.controllers.mb_views import RouteFollower, ViewEncoder


def mb_route(
    *,
    seed: int = 0,
    learning_rate: float = 0.3,
    w_pn: float = 0.06,
    w_apl: float = 0.1,
    w_inhibit: float = 1.0,
    w_mbon: float = 0.8,
    claws: int = 10,
    n_kc: int = 2000,
    reach: int = 6,
    spacing: int = 8,
    hold: int = 4,
    gain: float = 0.7,
) -> RouteFollower:
    """Learns a route in one trip and follows it by the novelty of views (preset ``route`` of Foraging).

    Parameters
    ----------
    seed : int
        Seed of the random wiring from projection neurons to Kenyon cells.
    learning_rate, w_pn, w_apl, w_inhibit, w_mbon, claws, n_kc
        Of :func:`~insectbot.controllers.circuits.mushroom_body.mushroom_body`: a view is learned at once, and one cell
        in fifty is active, as a route has many views to keep apart.
    reach, spacing, hold, gain
        As in :class:`~insectbot.controllers.mb_views.RouteFollower`.
    """
    network = mushroom_body(
        ViewEncoder.n_inputs,
        seed=seed,
        learning_rate=learning_rate,
        n_kc=n_kc,
        claws=claws,
        w_pn=w_pn,
        w_apl=w_apl,
        w_inhibit=w_inhibit,
        w_mbon=w_mbon,
        tau_e=20.0,
        outputs=("novelty",),
        name="mb-route",
    )
    return RouteFollower(network, reach=reach, spacing=spacing, hold=hold, gain=gain)
