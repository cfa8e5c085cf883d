"""What trains a model: Lightning's command line, callbacks, the record of a run."""

import lazy_loader

# Configs name it by this path.
__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={"checkpoint_file": ["CheckpointFile"]})
