"""facegen: 4D facial expressions from one neutral mesh and a motion label.

The names of this package are listed in its stub, `__init__.pyi`, and imported when they are first used, so that
`import facegen` loads neither torch nor scipy.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
