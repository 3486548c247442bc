from collections.abc import Iterator
from typing import Any, overload

from torch import Tensor, nn

from ..layers import Attention, PatchEmbed

class Block(nn.Module):
    norm1: nn.Module
    attn: Attention
    ls1: nn.Module
    drop_path1: nn.Module
    norm2: nn.Module
    mlp: nn.Module
    ls2: nn.Module
    drop_path2: nn.Module

class Blocks(nn.Sequential):
    @overload
    def __getitem__(self, idx: int) -> Block: ...
    @overload
    def __getitem__(self, idx: slice) -> Blocks: ...
    def __iter__(self) -> Iterator[Block]: ...

class VisionTransformer(nn.Module):
    embed_dim: int
    num_prefix_tokens: int
    no_embed_class: bool
    dynamic_img_size: bool
    patch_embed: PatchEmbed
    cls_token: nn.Parameter | None
    reg_token: nn.Parameter | None
    pos_embed: nn.Parameter
    pos_drop: nn.Module
    norm_pre: nn.Module
    blocks: Blocks
    norm: nn.Module
    pretrained_cfg: dict[str, Any]
    def _pos_embed(self, x: Tensor) -> Tensor: ...
    def forward_features(self, x: Tensor) -> Tensor: ...
    def forward_intermediates(self, x: Tensor, *, indices: int | list[int], **options: Any) -> Any: ...
