# The whole harness on the real chips that SAR_SSL_REAL_DATA names: TerraMesh (maps) and BigEarthNet (scene labels), where n is
# too small for a claim and the report says so at its head; s1slc8 (eight land uses, within three scenes and on each left-out
# one); s1s2pairs and sen12scene (pictures of both sensors, pre-training alone). A set that is not there is left out.

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

# Labelled single-look chips: baselines, random weights, and DINO on the training chips of each store
REAL_SLC := s1slc8 s1slc8_4312 s1slc8_BBE7 s1slc8_EBAD
REAL_SLC_KINDS := pixels texture random cnn dino scenes_dino
ifneq ($(wildcard $(SAR_SSL_REAL_DATA)/s1slc8/chips.npz),)
real_slc := $(foreach store,$(REAL_SLC),$(addprefix $(REAL)/$(store)/,$(REAL_SLC_KINDS)))
endif
# Pictures of both sensors: pre-training, and what of it is left on single-look chips within and across scenes
REAL_PICTURES := $(foreach set,s1s2pairs sen12scene,$(if $(wildcard $(SAR_SSL_REAL_DATA)/$(set)/pairs.csv),$(set)))
real_pictures := $(foreach set,$(REAL_PICTURES),$(REAL)/$(set)/dino $(REAL)/$(set)/dino_mm)
ifneq ($(real_slc),)
real_transfer := $(foreach store,$(REAL_SLC),$(foreach set,$(REAL_PICTURES),$(REAL)/$(store)/transfer_$(set)))
endif
real_runs += $(real_slc) $(real_pictures) $(real_transfer)

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

REAL_SEGMENT := -p chips=$(REAL_MAPS) -p sensors=s1 -p 'fractions=[0.1, 1.0]' -p seeds=3 -p batch_size=8 -p steps=40 -p evaluate_every=10

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
	    -p steps=20 -p evaluate_every=10 -p batch_size=3

$(REAL)/bigearthnet/grid_dino_mm/metrics.json: | $(REAL)/bigearthnet/dino_mm/metrics.json
	@$(SAR_SSL) run grid --out $(@D) -p chips=$(REAL_SCENES) -p weights=$(REAL)/bigearthnet/dino_mm -p tasks=scenes

$(REAL)/terramesh/shifts/metrics.json: | $(REAL)/terramesh/dino_mm/metrics.json
	@$(SAR_SSL) run robustness --out $(@D) -p chips=$(REAL_MAPS) -p 'weights=[$(REAL)/terramesh/dino_mm, random]' -p model=test_vit \
	    -p tasks=maps -p steps=40

$(REAL)/bigearthnet/shifts/metrics.json: | $(REAL)/bigearthnet/dino_mm/metrics.json
	@$(SAR_SSL) run robustness --out $(@D) -p chips=$(REAL_SCENES) -p 'weights=[$(REAL)/bigearthnet/dino_mm, random]' -p model=test_vit \
	    -p tasks=scenes

# Stores of the second pack. The name of a store says which scene is left out.
$(REAL)/s1slc8.zarr/zarr.json:
	@$(SAR_SSL) chips build s1slc8 $(SAR_SSL_REAL_DATA)/s1slc8 --out $(@D)

$(REAL)/s1slc8_%.zarr/zarr.json:
	@$(SAR_SSL) chips build s1slc8 $(SAR_SSL_REAL_DATA)/s1slc8 -p leave_out=$* --out $(@D)

$(addprefix $(REAL)/,s1s2pairs.zarr/zarr.json sen12scene.zarr/zarr.json): $(REAL)/%.zarr/zarr.json:
	@$(SAR_SSL) chips build $* $(SAR_SSL_REAL_DATA)/$* --out $(@D)

REAL_SLC_SCENES := -p sensors=s1 -p 'fractions=[0.1, 1.0]' -p seeds=3
REAL_SMALL := -p model=test_vit -p steps=300 -p batch_size=32 -p prototypes=256 -p hidden=64 -p small_crops=4 -p log_every=25 \
    -p momentum=0.99

define slc_rules
$(REAL)/$(1)/pixels/metrics.json: | $(REAL)/$(1).zarr/zarr.json
	@$$(SAR_SSL) run scenes --out $$(@D) -p chips=$(REAL)/$(1).zarr $$(REAL_SLC_SCENES) -p network=pixels

$(REAL)/$(1)/texture/metrics.json: | $(REAL)/$(1).zarr/zarr.json
	@$$(SAR_SSL) run scenes --out $$(@D) -p chips=$(REAL)/$(1).zarr $$(REAL_SLC_SCENES) -p network=texture

$(REAL)/$(1)/random/metrics.json: | $(REAL)/$(1).zarr/zarr.json
	@$$(SAR_SSL) run scenes --out $$(@D) -p chips=$(REAL)/$(1).zarr $$(REAL_SLC_SCENES) $$(REAL_RANDOM)

$(REAL)/$(1)/cnn/metrics.json: | $(REAL)/$(1).zarr/zarr.json
	@$$(SAR_SSL) run scenes --out $$(@D) -p chips=$(REAL)/$(1).zarr -p sensors=s1 -p 'fractions=[1.0]' -p network=cnn \
	    -p mode=finetune -p steps=400

$(REAL)/$(1)/dino/metrics.json: | $(REAL)/$(1).zarr/zarr.json
	@$$(SAR_SSL) run pretrain --out $$(@D) -p chips=$(REAL)/$(1).zarr $$(REAL_SMALL) -p sensors=s1

$(REAL)/$(1)/scenes_dino/metrics.json: | $(REAL)/$(1)/dino/metrics.json
	@$$(SAR_SSL) run scenes --out $$(@D) -p chips=$(REAL)/$(1).zarr $$(REAL_SLC_SCENES) -p weights=$(REAL)/$(1)/dino
endef
$(foreach store,$(REAL_SLC),$(eval $(call slc_rules,$(store))))

# Weights of pictures refuse squared digital numbers unless told: transfer=true says that the difference is meant.
define picture_rules
$(REAL)/$(1)/dino/metrics.json: | $(REAL)/$(1).zarr/zarr.json
	@$$(SAR_SSL) run pretrain --out $$(@D) -p chips=$(REAL)/$(1).zarr $$(REAL_SMALL) -p chip_size=64 -p sensors=s1

$(REAL)/$(1)/dino_mm/metrics.json: | $(REAL)/$(1).zarr/zarr.json
	@$$(SAR_SSL) run pretrain --out $$(@D) -p chips=$(REAL)/$(1).zarr $$(REAL_SMALL) -p chip_size=64 -p sensors=s1+s2 -p method=dino_mm

$(REAL)/%/transfer_$(1)/metrics.json: | $(REAL)/%.zarr/zarr.json $(REAL)/$(1)/dino/metrics.json
	@$$(SAR_SSL) run scenes --out $$(@D) -p chips=$(REAL)/$$*.zarr $$(REAL_SLC_SCENES) -p weights=$(REAL)/$(1)/dino -p transfer=true
endef
$(foreach set,s1s2pairs sen12scene,$(eval $(call picture_rules,$(set))))
