# The stable names of sar_ssl: they change only with a deprecation of one minor version. Everything else may change.
# nbs/api.ipynb is written from this list by tools/build_contents.py.
__version__: str

from .data.audit import audit_store as audit_store
from .data.check import check_store as check_store
from .data.chip import Chip as Chip, StoreError as StoreError, make_layout as make_layout
from .data.download.catalogue import fetch as fetch
from .data.packing import decode as decode, encode as encode
from .data.radiometry import Contract as Contract, ContractError as ContractError, to_db as to_db, to_linear as to_linear
from .data.reader import ChipDataset as ChipDataset, read_chip as read_chip
from .data.simulation.sensors import Simulation as Simulation, simulate_store as simulate_store
from .data.simulation.visits import simulate_dates as simulate_dates
from .data.sources.source import open_source as open_source
from .data.splits import split_blocks as split_blocks
from .data.store import contract_of as contract_of, describe_store as describe_store, open_store as open_store, \
    write_store as write_store
from .data.subsets import label_subset as label_subset
from .models.attention import attention as attention, facets as facets
from .models.baselines import SceneCNN as SceneCNN, UNet as UNet
from .models.dino import DINOHead as DINOHead, dino_loss as dino_loss, make_teacher as make_teacher, \
    update_teacher as update_teacher
from .models.dino_mm import keep_sensors as keep_sensors, only_sensors as only_sensors
from .models.scene_classifier import SceneClassifier as SceneClassifier
from .models.segmenter import Segmenter as Segmenter
from .models.view_network import ViewNetwork as ViewNetwork
from .models.vit import create_vit as create_vit, tokens as tokens
from .weights.checkpoint import ModelCard as ModelCard, load_encoder as load_encoder, save_encoder as save_encoder
from .weights.foreign import import_weights as import_weights
from .weights.portable import describe_weights as describe_weights, export_weights as export_weights
from .weights.trained_segmenter import load_segmenter as load_segmenter, save_segmenter as save_segmenter
from .augment.views import Augmentation as Augmentation, Views as Views, make_views as make_views
from .evaluation.attention import attention_auroc as attention_auroc, attention_table as attention_table, \
    token_auroc as token_auroc
from .evaluation.atlas import atlas_table as atlas_table
from .evaluation.calibration import calibration_error as calibration_error
from .evaluation.embedding import knn_purity as knn_purity, rankme as rankme, s1_s2_retrieval as s1_s2_retrieval
from .evaluation.intervals import chip_blocks as chip_blocks, paired_difference as paired_difference
from .evaluation.bootstrap import bootstrap_interval as bootstrap_interval
from .evaluation.metrics import average_precision as average_precision, confusion_counts as confusion_counts, \
    miou as miou, per_class_iou as per_class_iou
from .evaluation.neighbours import nearest as nearest
from .evaluation.knn import knn_scores as knn_scores
from .evaluation.probe import linear_probe as linear_probe
from .evaluation.score_curves import score_curve as score_curve
from .runs.execute import execute as execute
from .runs.parameters import experiment_names as experiment_names
from .runs.run import open_run as open_run
from .pretraining.config import PretrainConfig as PretrainConfig
from .pretraining.loop import pretrain as pretrain
from .downstream.classification import classify_chips as classify_chips
from .downstream.configs import GridConfig as GridConfig, SceneConfig as SceneConfig, SegmentConfig as SegmentConfig
from .downstream.encode import attention_maps as attention_maps, class_features as class_features, \
    patch_features as patch_features
from .downstream.modality_grid import run_grid as run_grid
from .downstream.segmentation_run import segment_chips as segment_chips
from .downstream.shifts import radar_shifts as radar_shifts
from .mapping.encoder_arrays import chip_array as chip_array, scene_array as scene_array
from .mapping.encoder_maps import map_encoder as map_encoder
from .mapping.mapper import map_scene as map_scene
from .figures.atlas import atlas_figure as atlas_figure
from .figures.attention import attention_panel as attention_panel
from .figures.audit import audit_figure as audit_figure
from .figures.chips import band_names as band_names, chip_images as chip_images, show_land_cover as show_land_cover, \
    show_s1 as show_s1, show_s2 as show_s2
from .figures.embedding import embedding_plot as embedding_plot
from .figures.report import write_report as write_report
from .explorer.app import explore as explore
