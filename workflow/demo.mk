# The demo: simulated chips, DINO on radar and DINO-MM on both sensors, what they are worth, and a report.
# Every step is a run folder; make skips those that are done, and a run that was cut off goes on where it was.

DEMO := runs/demo
SAR_SSL := $(BIN)/sar-ssl
ON_CHIPS := -p chips=$(DEMO)/chips.zarr
PRETRAIN := $(ON_CHIPS) -p model=test_vit -p batch_size=64 -p learning_rate=0.008 -p momentum=0.99 -p drop_path=0.0 \
            -p prototypes=1024 -p hidden=256 -p small_crops=6 -p checkpoint_every=50
SEGMENT := $(ON_CHIPS) -p sensors=s1 -p 'fractions=[0.05, 1.0]' -p seeds=3 -p batch_size=32 -p learning_rate=0.002 \
           -p evaluate_every=20
RANDOM := -p weights=random -p model=test_vit

demo_runs := $(addprefix $(DEMO)/,dino dino_mm maps_dino maps_scratch maps_dino_frozen maps_random_frozen \
             scenes_dino_mm scenes_random attention_dino attention_random embedding_dino_mm)

$(DEMO)/report.html: $(demo_runs:=/metrics.json)
	@rm -rf $(DEMO)/report
	@$(SAR_SSL) run report --out $(DEMO)/report -p study=$(DEMO) -p 'title=sar_ssl demo: simulated Sentinel-1 and Sentinel-2 chips'

$(DEMO)/chips.zarr/zarr.json:
	@$(SAR_SSL) chips simulate --n 1600 --size 64 --seed 0 --out $(DEMO)/chips.zarr
	@$(SAR_SSL) chips check $(DEMO)/chips.zarr

$(demo_runs:=/metrics.json): | $(DEMO)/chips.zarr/zarr.json

$(DEMO)/dino/metrics.json:
	@$(SAR_SSL) run pretrain --out $(@D) $(PRETRAIN) -p sensors=s1 -p steps=300

$(DEMO)/dino_mm/metrics.json:
	@$(SAR_SSL) run pretrain --out $(@D) $(PRETRAIN) -p sensors=s1+s2 -p method=dino_mm -p steps=250

$(DEMO)/maps_dino/metrics.json: | $(DEMO)/dino/metrics.json
	@$(SAR_SSL) run segment --out $(@D) $(SEGMENT) -p weights=$(DEMO)/dino -p steps=80

$(DEMO)/maps_scratch/metrics.json:
	@$(SAR_SSL) run segment --out $(@D) $(SEGMENT) $(RANDOM) -p steps=80

$(DEMO)/maps_dino_frozen/metrics.json: | $(DEMO)/dino/metrics.json
	@$(SAR_SSL) run segment --out $(@D) $(SEGMENT) -p weights=$(DEMO)/dino -p mode=frozen -p steps=80

$(DEMO)/maps_random_frozen/metrics.json:
	@$(SAR_SSL) run segment --out $(@D) $(SEGMENT) $(RANDOM) -p mode=frozen -p steps=80

$(DEMO)/scenes_dino_mm/metrics.json: | $(DEMO)/dino_mm/metrics.json
	@$(SAR_SSL) run classify --out $(@D) $(ON_CHIPS) -p weights=$(DEMO)/dino_mm

$(DEMO)/scenes_random/metrics.json:
	@$(SAR_SSL) run classify --out $(@D) $(ON_CHIPS) $(RANDOM)

$(DEMO)/attention_dino/metrics.json: | $(DEMO)/dino/metrics.json
	@$(SAR_SSL) run attention --out $(@D) $(ON_CHIPS) -p weights=$(DEMO)/dino

$(DEMO)/attention_random/metrics.json:
	@$(SAR_SSL) run attention --out $(@D) $(ON_CHIPS) $(RANDOM) -p sensors=s1

$(DEMO)/embedding_dino_mm/metrics.json: | $(DEMO)/dino_mm/metrics.json
	@$(SAR_SSL) run embedding --out $(@D) $(ON_CHIPS) -p weights=$(DEMO)/dino_mm
