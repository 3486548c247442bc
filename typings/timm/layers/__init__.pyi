from torch import Tensor, nn

class PatchEmbed(nn.Module):
    patch_size: tuple[int, int]
    grid_size: tuple[int, int]
    proj: nn.Conv2d
    norm: nn.Module
    def forward(self, x: Tensor) -> Tensor: ...

class Attention(nn.Module):
    num_heads: int
    attn_dim: int
    scale: float
    qkv: nn.Linear
    q_norm: nn.Module
    k_norm: nn.Module
    norm: nn.Module
    proj: nn.Linear

class DropPath(nn.Module):
    drop_prob: float

class GluMlp(nn.Module): ...
class LayerNorm(nn.LayerNorm): ...
class LayerScale(nn.Module): ...
class Mlp(nn.Module): ...
class RmsNorm(nn.Module): ...
class SwiGLU(nn.Module): ...

def resample_abs_pos_embed(
    posemb: Tensor, new_size: list[int], old_size: list[int], num_prefix_tokens: int = ...
) -> Tensor: ...
