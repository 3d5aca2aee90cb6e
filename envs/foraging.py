"""The Gymnasium env ``insectbot/Foraging-v0``: an insect with two antennae forages on rough ground."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from insectbot.envs import foraging_row as r
from insectbot.envs.foraging_arena import ArenaWorld
from insectbot.envs.foraging_presets import ALL_PRESETS, foraging_world
from insectbot.envs.odors_world import OdorsWorld, sources
from insectbot.envs.patches_world import PatchesWorld, patches
from insectbot.envs.route_world import RouteWorld, route_views
from insectbot.envs.row_env import RowEnv
from insectbot.envs.row_vector import RowVectorEnv


class ForagingEnv(RowEnv):
    """An insect with two antennae looks for a target, brings food home, learns odors, or a route.

    Reconstructed from the abstract of Zhang, Xu, Henriquez & Ferrari (CDC 2013, "virtual insect"); geometry, body and
    sensors are a design of this project. Units: mm, s, rad. The arena is 1000 x 1000 mm. Every seed is another world.

    **Ground.** Roughness ``rho = min(1, sum_i a_i exp(-|r - r_i|^2 / (2 s_i^2)))`` of 14 bumps, centres uniform,
    ``s ~ U(50, 110)`` mm, ``a ~ U(0.5, 1)``. Antennae feel 1 outside the arena and inside obstacles.

    **Body.** Differential drive, axle 10 mm, angular gain 0.5, 40 mm/s per side at full command, times
    ``1 - 0.8 rho``. A move that would end outside the arena or inside an obstacle does not happen: the heading is
    kicked by N(0, 0.5) rad instead (sum of twelve uniforms), and a collision is counted.

    **Action** ``Box(-1, 1, (2,), float32)``, cast to float32:

    | index | meaning | range used |
    |---|---|---|
    | 0 | left wheel command | clipped to [-0.2, 1] |
    | 1 | right wheel command | clipped to [-0.2, 1] |

    **Observation** ``Box(0, 1, (5,), float32)``:

    | index | meaning |
    |---|---|
    | 0, 1 | roughness at the tip of the left, right antenna (40 mm long, 35 degrees to the side) |
    | 2, 3 | target cue, left, right: ``(0.5 + 0.5 cos(bearing -/+ 45 deg))^2 / (1 + d / 1000)`` |
    | 4 | roughness under the body |

    In ``patches`` ``Box(0, 1, (10,), float32)``:

    | index | meaning |
    |---|---|
    | 0, 1, 4 | roughness at the antennae and under the body, as above |
    | 2, 3 | odor at the tip of the left, right antenna: ``C / (C + 0.2)`` plus noise (see Patches) |
    | 5, 6 | home cue, left, right: as the target cue, of the bearing and distance of the nest's centre |
    | 7 | load of the crop: 0 empty, 1 full |
    | 8 | energy store: 0 starved, 1 full |
    | 9 | taste of food under the body: ``f / (f + 0.5)`` in a patch that holds f units, 0 elsewhere |

    In ``odors`` ``Box(0, 1, (16,), float32)``:

    | index | meaning |
    |---|---|
    | 0 to 5 | occupied share of receptor channels 0 to 5 at the tip of the left antenna (see Odors) |
    | 6 to 11 | the same at the right antenna |
    | 12, 13 | touch, left, right: 1 where the tip is outside the arena |
    | 14, 15 | sugar, bitter: 1 in the step in which a rewarded, another source was visited |

    In ``route`` ``Box(0, 1, (39,), float32)``:

    | index | meaning |
    |---|---|
    | 0 to 35 | skyline of 36 sectors of 10 degrees, sector 0 ahead, the next ones to the left (see Route) |
    | 36, 37 | touch, left, right: 1 where the tip of the antenna is outside the arena or in a landmark |
    | 38 | 1 while the world leads |

    **Reward** of a step, with weights from ``reward`` and ``reward_weights``:

    | term | value | dense | sparse | local |
    |---|---|---|---|---|
    | progress | ``d[k-1] - d[k]``, mm | 0.5 | 0 | 0 |
    | bearing | ``cos b[k] - cos b[k-1]`` | 2 | 0 | 5 |
    | roughness | rho under the body | -0.5 | 0 | 0 |
    | antennae | change of the sum of observations 0 and 1 | 0 | 0 | -20 |
    | collision | 1 for a collision | -1 | 0 | 0 |
    | goal | 1 when the target is reached | 100 | 1 | 0 |

    In ``patches`` (load as before the step):

    | term | value | dense | sparse | local |
    |---|---|---|---|---|
    | food | units brought to the nest | 20 | 1 | 0 |
    | intake | units taken up | 10 | 0 | 10 |
    | odor | (1 - load) * change of what both antennae smell, without noise, off the patches | 5 | 0 | 70 |
    | home | load * approach to the nest, mm | 0.05 | 0 | 0.2 |
    | bearing | load * change of the cosine of the nest's bearing | 2 | 0 | 5 |
    | walk | mm walked | -0.01 | 0 | -0.1 |
    | roughness | rho under the body | 0 | 0 | 0 |
    | antennae | change of the sum of observations 0 and 1 | 0 | 0 | -2 |
    | collision | 1 for a collision | -1 | 0 | 0 |
    | starved | 1 when the energy store is empty | -50 | 0 | 0 |

    In ``odors``:

    | term | value | dense | sparse | local |
    |---|---|---|---|---|
    | good | 1 for a visit to a rewarded source | 1 | 1 | 1 |
    | bad | 1 for a visit to another source | -1 | 0 | -1 |
    | walk | mm walked | 0 | 0 | -0.001 |
    | collision | 1 for a collision | 0 | 0 | 0 |

    In ``route``:

    | term | value | dense | sparse | local |
    |---|---|---|---|---|
    | along | mm won along the route | 0.1 | 0 | 0.1 |
    | collision | 1 for a collision | -1 | 0 | -1 |
    | feeder | 1 when the feeder is reached | 100 | 1 | 0 |
    | lost | 1 when the route is lost | -10 | 0 | 0 |

    **Patches** (preset ``patches``): a central-place forager (Orians & Pearson 1979). ``patches`` discs of radius
    U(25, 40) mm hold U(1, 4) units of food. In a patch that holds f units the crop (1 unit) fills with
    ``0.15 f / (f + 0.5)`` units/s (a saturating intake, Holling 1959), in the nest (30 mm) it empties with 1 unit/s; a
    patch regrows with ``regrowth`` up to what it held at first. A patch smells: ``C = sum f / (f + 0.5) exp(-d / 120)``
    over the patches at distance d; each antenna adds N(0, ``odor_noise``) to its share of occupied receptors at every
    step and clips to [0, 1]. The energy store falls by 1/150 per second and 1/8000 per mm, and rises by 0.5
    for every unit brought to the nest, to 1 at most.

    **Odors** (preset ``odors``): flat ground, ``sources`` of ``kinds`` kinds of odor in turn (A, B, ...). Kind k smells
    in six channels: ``C_c = sum blend[k, c] exp(-d / 80)`` over the sources at distance d mm; each antenna adds N(0,
    ``odor_noise``) to the occupied share ``C_c / (C_c + 0.2)`` of each channel at every step and clips to [0, 1]. The
    blends of A and B have a cosine of 0.33 (``insectbot.envs.odors_settings.BLENDS``). A source nearer than 20 mm is
    visited: kind ``good`` tastes of sugar, the others of bitter; it then appears elsewhere (150 mm or more from the
    body and from every other source, 80 mm from the walls). In the spirit of the learning assays of flies and bees.

    **Route** (preset ``route``): flat ground, 20 landmarks (discs of radius U(10, 30) mm, height h U(40, 200) mm), and
    a route of four straight pieces from home to a feeder with 45 mm free on both sides. The ``layout`` decides all
    that; seeds decide start and noise. A landmark at distance d and angle a from the middle of a sector gives it
    ``h / (h + d) (0.5 + 0.5 cos a)^64`` (an acceptance of 10 degrees), the skyline is the greatest of all, plus noise
    U(-1, 1) times ``view_noise``. With ``guided`` the world leads the body along the route at 40 mm/s, cutting the
    corners, whatever the action: the one trip on which it can be learned (Ardin et al. 2016).

    **Start.** Start and target uniform, 80 mm or more from the walls and 500 to 900 mm apart; heading uniform.
    In ``patches``: the body starts in the nest, crop empty, store full; the nest uniform, 250 mm or more from the
    walls; patches 60 mm or more from the walls, 200 mm from the nest and 130 mm from each other (centres). In
    ``odors`` the start is uniform in the middle fifth of the arena. In ``route``: at home, up to 20 mm aside in x and
    y, up to 0.5 rad off the route's direction (``guided``: exactly there).

    **End.** Terminated when the target is nearer than 20 mm; truncated after ``time_limit``. In ``patches``
    terminated when the energy store is empty, truncated (a success) after ``time_limit``; ``odors`` is only truncated.
    ``route`` is terminated when the feeder is nearer than 50 mm or the route farther than 120 mm (lost). One step is
    50 ms. (A ``max_episode_steps`` of ``gymnasium.make`` cuts from outside, so an episode it cuts has no metrics.)

    **Info** is empty until the last step of an episode. Then:

    | key | meaning |
    |---|---|
    | success | whether the target was reached; ``patches``: it lived to the end; ``odors``: choice of 0.8 or more |
    | time, path | duration [s], length of the path [mm] |
    | exposure | mean roughness along the path, [0, 1] |
    | collisions | number of collisions |
    | food, gathered | only ``patches``: units brought to the nest, units taken up |
    | food_per_metre | only ``patches``: food per metre of path; 0 without any path |
    | survival | only ``patches``: share of ``time_limit`` lived, [0, 1] |
    | energy | only ``patches``: energy store at the end, [0, 1] |
    | visits_good, visits_bad | only ``odors``: visits to rewarded sources, to others |
    | choice | only ``odors``: share of visits that were rewarded; NaN without any |
    | choice_late | only ``odors``: choice in the second half of ``time_limit`` |
    | along | only ``route``: share of the route's length at the end, [0, 1] |
    | deviation, deviation_most | only ``route``: mean and greatest distance from the route [mm] |
    | T_opt | time of the planner, which knows the whole world and turns for free [s]; NaN without success |
    | T_ratio | time / T_opt; NaN without success |
    | SPT | success * T_opt / max(time, T_opt): success weighted by time |
    | cost, cost_opt, cost_ratio | only ``dem``: walking hours of this path, of the planner's path, their ratio |

    ``patches``, ``odors`` and ``route`` have no T_opt, T_ratio and SPT, the last two no exposure.

    Parameters
    ----------
    preset : str
        ``"smooth"``: no obstacles. ``"cluttered"``: 30 discs, radius U(20, 50) mm, 40 mm clear of start and target.
        ``"dem"``: a real elevation map, 1 mm = 31.8 m; speed and roughness follow Tobler's rule along the direction
        of travel, antennae (12 mm long here) feel the walking speed along their length, see
        ``insectbot.envs.terrain.hardship``; start and target 10 to 20 km apart. ``"unknown"``: smooth, the target
        cues are 0 at 250 mm and beyond. ``"flip"``: smooth, and after ``flip_after`` episodes the cue changes
        valence: it then points away from the target (bearing + pi).
        ``"sparse"``: smooth with the sparse reward. ``"patches"``: smooth ground, patches of food, an energy store
        and a nest in place of the target. ``"odors"``: odors of several kinds, of which one promises sugar.
        ``"route"``: a route among landmarks, to be followed by the view.
    reward : str, optional
        ``"dense"``, ``"sparse"`` or ``"local"`` (see the table); default: ``"dense"``, in ``sparse`` ``"sparse"``.
    reward_weights : mapping of str to float, optional
        Weights that replace those of the named reward, by term.
    walls : str
        ``"block"``: the wall of the arena is an obstacle. ``"clamp"``: the body slides along it, no collision.
    flip_after : int
        Number of episodes before the flip (every reset counts one, seeded or not).
    patches : int
        Only ``patches``: their number, 1 to 8.
    regrowth : float
        Only ``patches``: food that grows in each [units/s], >= 0.
    odor_noise : float
        ``patches``, ``odors``: standard deviation of the noise of each antenna (each channel) and step, [0, 1].
    sources : int
        Only ``odors``: their number, ``kinds`` to 8.
    kinds : int
        Only ``odors``: kinds of odor, 2 to 4.
    good : int
        Only ``odors``: the rewarded kind, 0 to ``kinds - 1``.
    layout : int
        Only ``route``: number of the map of landmarks and route.
    guided : bool
        Only ``route``: whether the world leads the body along the route.
    view_noise : float
        Only ``route``: greatest noise of a sector, [0, 1].
    time_limit : float, optional
        Longest episode [s]; default 120, in ``patches`` and ``odors`` 300.
    terrain : str, optional
        Only ``dem``: a file of your own land instead of the built-in map, stretched over its 30 km by 32 km: ``.npy``
        (elevations in m), ``.tif`` (GeoTIFF; needs rasterio) or ``.png`` (grey levels); north is up.
    relief : float
        Only for a ``.png``: elevation of white above black [m].
    planner : bool
        Whether to compute ``T_opt`` at the end of a successful episode (milliseconds, ``dem`` some tens).
    render_mode : str, optional
        ``"human"`` or ``"rgb_array"``.

    Raises
    ------
    UnknownNameError
        For an unknown preset, reward, reward term or kind of walls.
    ConfigurationError
        For a number outside its range.

    Notes
    -----
    ``reset(options=...)`` takes ``start`` [x, y, heading], ``target`` [x, y], ``flip`` (bool: the valence of this
    episode) and, on the map, ``route`` (0 to 19: one of the fixed pairs of ``insectbot.envs.terrain.dem_pairs``,
    facing the target); in ``patches`` it takes ``start`` and ``nest`` [x, y],
    in ``odors`` ``start``, ``good`` (the rewarded kind of this episode) and ``reverse`` (bool: after half of
    ``time_limit`` the next kind is rewarded instead).
    Where both places are given, they may be at any distance; a drawn one keeps the rule of the start.

    References
    ----------
    Ardin, Peng, Mangan, Lagogiannis & Webb, PLoS Comput. Biol. 12, e1004683 (2016).
    Orians & Pearson, in: Analysis of Ecological Systems (1979), 155-177. Holling, Can. Entomol. 91, 385-398 (1959).

    Examples
    --------
    >>> import gymnasium, insectbot
    >>> env = gymnasium.make("insectbot/Foraging-v0", preset="cluttered")
    >>> obs, info = env.reset(seed=1)
    >>> obs, reward, terminated, truncated, info = env.step([1.0, 0.8])

    Version history: v0, first version.
    """

    control_period = r.CONTROL_PERIOD
    presets = ALL_PRESETS

    def __init__(
        self,
        preset: str = "smooth",
        *,
        reward: str | None = None,
        reward_weights: Mapping[str, float] | None = None,
        walls: str = "block",
        flip_after: int = 15,
        patches: int = 6,
        regrowth: float = 0.01,
        odor_noise: float = 0.05,
        sources: int = 6,
        kinds: int = 2,
        good: int = 0,
        layout: int = 0,
        guided: bool = False,
        view_noise: float = 0.02,
        time_limit: float | None = None,
        terrain: str | None = None,
        relief: float = 800.0,
        planner: bool = True,
        render_mode: str | None = None,
    ) -> None:
        world = foraging_world(
            preset,
            reward=reward,
            reward_weights=reward_weights,
            walls=walls,
            flip_after=flip_after,
            patches=patches,
            regrowth=regrowth,
            odor_noise=odor_noise,
            sources=sources,
            kinds=kinds,
            good=good,
            layout=layout,
            guided=guided,
            view_noise=view_noise,
            time_limit=time_limit,
            terrain=terrain,
            relief=relief,
            planner=planner,
        )
        super().__init__(world, render_mode)
        self.world: ArenaWorld = world

    def optimal_path(self) -> npt.NDArray[np.float64]:
        """Return the planner's path of this world: corners [mm], shape (n, 2), from the start to the target.

        In ``patches``: straight from the start to the patch that pays most per mm, and on to the nest. In ``odors``:
        straight from the start to the nearest rewarded source. In ``route``: the route.
        """
        return self.world.optimal_path(self._row)

    def patches(self) -> npt.NDArray[np.float64]:
        """Return the patches of this moment: x, y, radius [mm], food now and at most [units], shape (n, 5).

        Only the preset ``patches`` has any; elsewhere n is 0.
        """
        return patches(self._row) if isinstance(self.world, PatchesWorld) else np.empty((0, 5))

    def sources(self) -> npt.NDArray[np.float64]:
        """Return the sources of this moment: x, y [mm], kind, 1 where its kind is rewarded, shape (n, 4).

        Only the preset ``odors`` has any; elsewhere n is 0.
        """
        return sources(self._row) if isinstance(self.world, OdorsWorld) else np.empty((0, 4))

    def route_views(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return places along the route (x, y [mm], heading [rad]), shape (n, 3), and the views there, shape (n, 36).

        Every 5 mm, facing along the route, without noise. Only the preset ``route`` has any; elsewhere n is 0.
        """
        if isinstance(self.world, RouteWorld):
            return route_views(self._row)
        return np.empty((0, 3)), np.empty((0, 36))


class ForagingVectorEnv(RowVectorEnv):
    """Many worlds of :class:`ForagingEnv` in one call; its arguments, and those of the base.

    ``planner=False`` spares a millisecond for every reached target.
    """

    world_class = foraging_world
    control_period = r.CONTROL_PERIOD

    def optimal_path(self, index: int = 0) -> npt.NDArray[np.float64]:
        """Return the planner's path of one world: corners [mm], shape (n, 2)."""
        assert isinstance(self.world, ArenaWorld)
        return self.world.optimal_path(self._rows[index])
