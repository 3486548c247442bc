"Self-supervised vision transformers for Sentinel-1 radar, alone (DINO) and with Sentinel-2 (DINO-MM)."
__version__ = "0.1.0"

import lazy_loader

# The stable names are listed in __init__.pyi and are imported when they are first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
