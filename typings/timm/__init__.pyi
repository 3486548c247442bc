"What this project uses of timm, with the types that timm's own annotations leave open: all models here are plain ViTs."
from typing import Any

from .models.vision_transformer import VisionTransformer

__version__: str

def create_model(model_name: str, **options: Any) -> VisionTransformer: ...
def list_models(*, module: str) -> list[str]: ...
