# The whole harness on the few real labelled chips that SAR_SSL_REAL_DATA names: TerraMesh (maps), BigEarthNet (scene labels).
# It shows that everything runs on real data. n is too small for a claim, and the report says so at its head.

REAL := runs/real
REAL_MAPS := $(REAL)/terramesh.zarr
REAL_SCENES := $(REAL)/bigearthnet_pairs.zarr
REAL_PRETRAIN := -p model=test_vit -p steps=40 -p batch_size=16 -p prototypes=256 -p hidden=64 -p small_crops=4 -p log_every=5
REAL_RANDOM := -p weights=random -p model=test_vit

real_runs := $(addprefix $(REAL)/,terramesh/dino terramesh/dino_mm terramesh/maps_dino terramesh/maps_scratch \
             terramesh/maps_dino_mm_frozen terramesh/maps_random_frozen terramesh/grid_dino_mm terramesh/grid_random \
             terramesh/shifts bigearthnet/shifts \
             bigearthnet/dino_mm bigearthnet/scenes_dino_mm bigearthnet/scenes_random bigearthnet/scenes_scratch \
             bigearthnet/grid_dino_mm)

.PHONY: real
real: install  ## run everything on the few real chips that SAR_SSL_REAL_DATA names, to runs/real/report.html
	@test -d "$(SAR_SSL_REAL_DATA)" || { echo "SAR_SSL_REAL_DATA names no folder; set it to one with terramesh/ and bigearthnet/"; exit 1; }
	@$(MAKE) --no-print-directory $(REAL)/report.html
	@echo "report: $(REAL)/report.html"

$(REAL)/report.html: $(real_runs:=/metrics.json)
	@rm -rf $(REAL)/report
	@$(SAR_SSL) run report --out $(REAL)/report -p study=$(REAL) -p 'title=sar_ssl on the real labelled chips'

$(REAL)/%.zarr/zarr.json: data/sources/%.yaml
	@$(SAR_SSL) chips build rasters $< -p root=$(SAR_SSL_REAL_DATA) --on-error skip --out $(REAL)/$*.zarr

$(filter $(REAL)/terramesh/%,$(real_runs:=/metrics.json)): | $(REAL_MAPS)/zarr.json
$(filter $(REAL)/bigearthnet/%,$(real_runs:=/metrics.json)): | $(REAL_SCENES)/zarr.json

$(REAL)/terramesh/dino/metrics.json:
	@$(SAR_SSL) run pretrain --out $(@D) -p chips=$(REAL_MAPS) $(REAL_PRETRAIN) -p sensors=s1

$(REAL)/terramesh/dino_mm/metrics.json:
	@$(SAR_SSL) run pretrain --out $(@D) -p chips=$(REAL_MAPS) $(REAL_PRETRAIN) -p sensors=s1+s2 -p method=dino_mm

$(REAL)/bigearthnet/dino_mm/metrics.json:
	@$(SAR_SSL) run pretrain --out $(@D) -p chips=$(REAL_SCENES) $(REAL_PRETRAIN) -p batch_size=3 -p sensors=s1+s2 -p method=dino_mm

REAL_SEGMENT := -p chips=$(REAL_MAPS) -p sensors=s1 -p 'fractions=[0.1, 1.0]' -p seeds=3 -p batch_size=8 -p steps=40

$(REAL)/terramesh/maps_dino/metrics.json: | $(REAL)/terramesh/dino/metrics.json
	@$(SAR_SSL) run segment --out $(@D) $(REAL_SEGMENT) -p weights=$(REAL)/terramesh/dino

$(REAL)/terramesh/maps_scratch/metrics.json:
	@$(SAR_SSL) run segment --out $(@D) $(REAL_SEGMENT) $(REAL_RANDOM)

$(REAL)/terramesh/maps_dino_mm_frozen/metrics.json: | $(REAL)/terramesh/dino_mm/metrics.json
	@$(SAR_SSL) run segment --out $(@D) $(REAL_SEGMENT) -p weights=$(REAL)/terramesh/dino_mm -p mode=frozen

$(REAL)/terramesh/maps_random_frozen/metrics.json:
	@$(SAR_SSL) run segment --out $(@D) $(REAL_SEGMENT) $(REAL_RANDOM) -p mode=frozen

$(REAL)/terramesh/grid_dino_mm/metrics.json: | $(REAL)/terramesh/dino_mm/metrics.json
	@$(SAR_SSL) run grid --out $(@D) -p chips=$(REAL_MAPS) -p weights=$(REAL)/terramesh/dino_mm -p tasks=maps -p steps=40

$(REAL)/terramesh/grid_random/metrics.json:
	@$(SAR_SSL) run grid --out $(@D) -p chips=$(REAL_MAPS) $(REAL_RANDOM) -p tasks=maps -p steps=40

$(REAL)/bigearthnet/scenes_dino_mm/metrics.json: | $(REAL)/bigearthnet/dino_mm/metrics.json
	@$(SAR_SSL) run classify --out $(@D) -p chips=$(REAL_SCENES) -p weights=$(REAL)/bigearthnet/dino_mm

$(REAL)/bigearthnet/scenes_random/metrics.json:
	@$(SAR_SSL) run classify --out $(@D) -p chips=$(REAL_SCENES) $(REAL_RANDOM)

$(REAL)/bigearthnet/scenes_scratch/metrics.json:
	@$(SAR_SSL) run scenes --out $(@D) -p chips=$(REAL_SCENES) $(REAL_RANDOM) -p mode=finetune -p 'fractions=[0.5, 1.0]' -p seeds=3 \
	    -p steps=20 -p batch_size=3

$(REAL)/bigearthnet/grid_dino_mm/metrics.json: | $(REAL)/bigearthnet/dino_mm/metrics.json
	@$(SAR_SSL) run grid --out $(@D) -p chips=$(REAL_SCENES) -p weights=$(REAL)/bigearthnet/dino_mm -p tasks=scenes

$(REAL)/terramesh/shifts/metrics.json: | $(REAL)/terramesh/dino_mm/metrics.json
	@$(SAR_SSL) run robustness --out $(@D) -p chips=$(REAL_MAPS) -p 'weights=[$(REAL)/terramesh/dino_mm, random]' -p model=test_vit \
	    -p tasks=maps -p steps=40

$(REAL)/bigearthnet/shifts/metrics.json: | $(REAL)/bigearthnet/dino_mm/metrics.json
	@$(SAR_SSL) run robustness --out $(@D) -p chips=$(REAL_SCENES) -p 'weights=[$(REAL)/bigearthnet/dino_mm, random]' -p model=test_vit \
	    -p tasks=scenes
