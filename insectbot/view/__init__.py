"""The pygame window, figures and the HTML report."""
