"""Deterministic policy gradients, in code that the chapters of the course share.

``gradient`` holds the chain rule of Part I in NumPy, ``agent`` the DDPG agent of Part III in
torch, ``lab`` what runs, records and draws agents. Imports only run from right to left:
``lab`` may import ``agent`` and ``gradient``, never the reverse. Import from the module whose
name says what you want: ``from dpgcourse.gradient.composite import Composite``.
"""

__version__ = "0.1.0"
