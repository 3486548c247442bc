# The benchmark study: does pre-training help, with how many labels, for which sensors, for maps and for scene labels?
#     make study                                          pre-trains DINO and DINO-MM here first (hours on a CPU)
#     make study DINO=runs/s1 DINO_MM=runs/mm -j 2        takes the weights of these run folders, two runs at a time
# Every run is a folder and every cell (label fraction, seed) a line of its log: make skips runs that are done, and a run
# that was cut off goes on after its last cell. STUDY=other/folder keeps the studies of other weights apart.

STUDY ?= runs/benchmark
STUDY_CHIPS ?= $(STUDY)/chips.zarr
DINO ?= $(STUDY)/dino
DINO_MM ?= $(STUDY)/dino_mm
# DINO of the other sensors, where there is such a run: DINO_S2=runs/s2 DINO_BOTH=runs/both
DINO_S2 ?=
DINO_BOTH ?=
# What is fine-tuned costs most: fewer fractions, and of the weights only these (random: from scratch).
STUDY_MODEL ?= vit_tiny_patch16_224
STUDY_FRACTIONS ?= [0.01, 0.05, 0.1, 0.5, 1.0]
STUDY_TUNED ?= random
STUDY_TUNED_FRACTIONS ?= [0.01, 0.1, 1.0]
# Passes over all labels that every training may take; early stopping ends most of them sooner.
STUDY_EPOCHS ?= 20
# The steps follow from the epochs: 0 in place of those of a smoke run.
STUDY_LENGTH := -p epochs=$(STUDY_EPOCHS) -p steps=0
STUDY_LOOKS := -p evaluate_every=0
STUDY_PRECISION ?= bf16
STUDY_SEEDS ?= 3

study_random := s1 s2 s1+s2
study_dino := s1 $(if $(DINO_S2),s2) $(if $(DINO_BOTH),s1+s2)
study_dino_mm := s1 s2 s1+s2
study_weights = $(if $(filter dino_mm,$1),$(DINO_MM),$(if $(filter s1,$2),$(DINO),$(if $(filter s2,$2),$(DINO_S2),$(DINO_BOTH))))
# init, sensors -> which weights, and for random ones of which network
study_asked = -p chips=$(STUDY_CHIPS) -p sensors=$2 -p seeds=$(STUDY_SEEDS) \
    $(if $(filter random,$1),-p weights=random -p model=$(STUDY_MODEL),-p weights=$(call study_weights,$1,$2))
STUDY_FROZEN := -p mode=frozen -p 'fractions=$(STUDY_FRACTIONS)'
STUDY_FINETUNE := -p mode=finetune -p 'fractions=$(STUDY_TUNED_FRACTIONS)' $(STUDY_LENGTH) $(STUDY_LOOKS) -p batch_size=16 \
    -p learning_rate=0.0005 -p precision=$(STUDY_PRECISION)
STUDY_DECODER := $(STUDY_LENGTH) $(STUDY_LOOKS) -p batch_size=32 -p learning_rate=0.003
STUDY_BASELINE := -p mode=finetune -p 'fractions=$(STUDY_TUNED_FRACTIONS)' $(STUDY_LENGTH) $(STUDY_LOOKS) \
    -p batch_size=16 -p learning_rate=0.003
STUDY_PRETRAIN := -p chips=$(STUDY_CHIPS) -p model=$(STUDY_MODEL) -p steps=2000 -p batch_size=64 -p precision=$(STUDY_PRECISION) \
    -p learning_rate=0.002 -p momentum=0.99 -p drop_path=0.0 -p prototypes=1024 -p hidden=256 -p small_crops=6

study_runs :=
# folder, experiment, init, sensors, further parameters
define study_run
study_runs += $(STUDY)/$1/metrics.json
$(STUDY)/$1/metrics.json: | $(STUDY_CHIPS)/zarr.json $(patsubst %,%/metrics.json,$(filter $(STUDY)/%,$(if $(filter-out random,$3),$(call study_weights,$3,$4))))
	@$$(SAR_SSL) run $2 --out $$(@D) $$(call study_asked,$3,$4) $5
endef
study_frozen = $(call study_run,maps/$1-frozen-$2,segment,$1,$2,$$(STUDY_FROZEN) $$(STUDY_DECODER))
study_probe = $(call study_run,scenes/$1-frozen-$2,scenes,$1,$2,$$(STUDY_FROZEN))
study_tuned = $(call study_run,$4/$1-tuned-$2,$3,$1,$2,$$(STUDY_FINETUNE))
study_pixels = $(call study_run,scenes/pixels-$1,scenes,random,$1,$$(STUDY_FROZEN) -p network=pixels)
study_cnn = $(call study_run,scenes/cnn-$1,scenes,random,$1,$$(STUDY_BASELINE) -p network=cnn)
study_unet = $(call study_run,maps/unet-$1,segment,random,$1,$$(STUDY_BASELINE) -p network=unet -p channels=16)

$(foreach init,random dino dino_mm,$(foreach sensors,$(study_$(init)),\
    $(eval $(call study_probe,$(init),$(sensors)))$(eval $(call study_frozen,$(init),$(sensors)))))
$(foreach sensors,$(study_random),$(foreach baseline,pixels cnn unet,$(eval $(call study_$(baseline),$(sensors)))))
$(foreach init,$(STUDY_TUNED),$(foreach sensors,$(study_$(init)),\
    $(eval $(call study_tuned,$(init),$(sensors),scenes,scenes))$(eval $(call study_tuned,$(init),$(sensors),segment,maps))))
$(foreach init,random dino_mm,$(eval $(call study_run,grid/$(init),grid,$(init),s1+s2,-p seeds=1 $(STUDY_LENGTH) -p batch_size=32 -p learning_rate=0.003)))

.PHONY: study
study: install  ## the benchmark study, to runs/benchmark/report.html; make study DINO=RUN DINO_MM=RUN takes weights
	@$(MAKE) --no-print-directory $(STUDY)/report.html
	@echo "report: $(STUDY)/report.html"

$(STUDY)/report.html: $(study_runs)
	@rm -rf $(STUDY)/report
	@$(SAR_SSL) run report --out $(STUDY)/report -p study=$(STUDY) -p 'title=Benchmark study on simulated chips'

$(STUDY)/chips.zarr/zarr.json:
	@$(SAR_SSL) chips simulate --n 3200 --size 64 --seed 0 --out $(STUDY)/chips.zarr
	@$(SAR_SSL) chips check $(STUDY)/chips.zarr

$(STUDY)/dino/metrics.json: | $(STUDY_CHIPS)/zarr.json
	@$(SAR_SSL) run pretrain --out $(@D) $(STUDY_PRETRAIN) -p sensors=s1

$(STUDY)/dino_mm/metrics.json: | $(STUDY_CHIPS)/zarr.json
	@$(SAR_SSL) run pretrain --out $(@D) $(STUDY_PRETRAIN) -p sensors=s1+s2 -p method=dino_mm
