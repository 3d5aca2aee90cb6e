"""All figures: functions that return a matplotlib ``Figure``. See each for what it takes."""

from insectbot.view.figure_style import png_uri, to_svg
from insectbot.view.plot_learning import learning_curve
from insectbot.view.plot_network import raster, weights
from insectbot.view.plot_world import trajectories

__all__ = ["learning_curve", "png_uri", "raster", "to_svg", "trajectories", "weights"]
