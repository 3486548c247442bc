# The demo: a small simulated world, DINO on radar and DINO-MM on both sensors, what they are worth between chance and ceiling,
# and a report. Every step is a run folder; make skips those that are done, and a run that was cut off resumes where it was.

DEMO := runs/demo
SAR_SSL := $(BIN)/sar-ssl
ON_CHIPS := -p chips=$(DEMO)/chips.zarr
PRETRAIN := $(ON_CHIPS) -p model=test_vit -p batch_size=64 -p learning_rate=0.004 -p momentum=0.99 -p drop_path=0.0 \
            -p prototypes=1024 -p hidden=256 -p small_crops=6 -p koleo=0.1 -p patch_loss=1 -p checkpoint_every=50
FEW := $(ON_CHIPS) -p sensors=s1 -p 'labels=[5, 20]' -p few_seeds=2 -p seeds=2
RANDOM := -p weights=random -p model=test_vit

demo_runs := $(addprefix $(DEMO)/,dino dino_mm gates maps_dino maps_random scenes_dino scenes_random scenes_texture \
             attention_dino attention_random embedding_dino_mm)

$(DEMO)/report.html: $(demo_runs:=/metrics.json)
	@rm -rf $(DEMO)/report
	@$(SAR_SSL) run report --out $(DEMO)/report -p study=$(DEMO) -p 'title=sar_ssl demo: a small simulated world'

$(DEMO)/chips.zarr/zarr.json:
	@$(SAR_SSL) chips simulate --n 640 --size 64 --acquisitions 6 --seed 0 --out $(DEMO)/chips.zarr
	@$(SAR_SSL) chips check $(DEMO)/chips.zarr

$(demo_runs:=/metrics.json): | $(DEMO)/chips.zarr/zarr.json

$(DEMO)/dino/metrics.json:
	@$(SAR_SSL) run pretrain --out $(@D) $(PRETRAIN) -p sensors=s1 -p steps=250

$(DEMO)/dino_mm/metrics.json:
	@$(SAR_SSL) run pretrain --out $(@D) $(PRETRAIN) -p sensors=s1+s2 -p method=dino_mm -p steps=200

$(DEMO)/gates/metrics.json:
	@$(SAR_SSL) run gates --out $(@D) $(ON_CHIPS) -p 'sensors=["s1"]' -p model=test_vit -p n_train=120 -p n_test=60 -p trees=20 -p epochs=12

$(DEMO)/maps_dino/metrics.json: | $(DEMO)/dino/metrics.json
	@$(SAR_SSL) run segment --out $(@D) $(FEW) -p steps=120 -p mode=frozen -p weights=$(DEMO)/dino

$(DEMO)/maps_random/metrics.json:
	@$(SAR_SSL) run segment --out $(@D) $(FEW) -p steps=120 -p mode=frozen $(RANDOM)

$(DEMO)/scenes_dino/metrics.json: | $(DEMO)/dino/metrics.json
	@$(SAR_SSL) run scenes --out $(@D) $(FEW) -p weights=$(DEMO)/dino

$(DEMO)/scenes_random/metrics.json:
	@$(SAR_SSL) run scenes --out $(@D) $(FEW) $(RANDOM)

$(DEMO)/scenes_texture/metrics.json:
	@$(SAR_SSL) run scenes --out $(@D) $(FEW) -p network=texture

$(DEMO)/attention_dino/metrics.json: | $(DEMO)/dino/metrics.json
	@$(SAR_SSL) run attention --out $(@D) $(ON_CHIPS) -p weights=$(DEMO)/dino

$(DEMO)/attention_random/metrics.json:
	@$(SAR_SSL) run attention --out $(@D) $(ON_CHIPS) $(RANDOM) -p sensors=s1

$(DEMO)/embedding_dino_mm/metrics.json: | $(DEMO)/dino_mm/metrics.json
	@$(SAR_SSL) run embedding --out $(@D) $(ON_CHIPS) -p weights=$(DEMO)/dino_mm
