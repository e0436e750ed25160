package main

import (
	"fmt"
	"strings"

	"headgate/cmd/dev/devserver"
	papers "headgate/internal/run"
	"headgate/workflows"
)

// epilogue says where everything is and how to do the same by hand.
func (t *story) epilogue() {
	dir, _ := strings.CutPrefix(t.store, "file://")
	t.say("\nThe Web UI as console%s", t.views())
	t.say(`
A run's page has its scorecard under User Metadata. At %s look at:
  score/retailer/2024-08      a month with the scores of two models
  evaluate/retailer/2024-05   the labels that revealed the price change
  retrain/retailer            the trainings
  release/retailer            steps, verdicts, questions and their answers

The published table  %s/scores/retailer
  is a Delta Lake table, partitioned by batch. Read it with any of:
  duckdb      SELECT batch, count(*), avg(score) FROM delta_scan('%[2]s/scores/retailer') GROUP BY batch;
  polars      pl.read_delta("%[2]s/scores/retailer")
  deltalake   DeltaTable("%[2]s/scores/retailer").to_pandas()

The same by hand, in the project's directory, while this runs:
  export HEADGATE_STORE=%[2]s TEMPORAL_ADDRESS=%[3]s
  go run ./cmd/starter register testdata/retailer/loop.yaml --model testdata/retailer/champion.txt \
      --golden testdata/retailer/golden.csv --expected testdata/retailer/golden_expected.csv \
      --source "LightGBM 4.6.0" --champion \
      $(for m in 01 02 03 04 05 06 07 08 09 10 11 12; do echo --reference 2023-$m=%[4]s/history/2023-$m/part-0000.parquet; done)
  go run ./cmd/starter score retailer --batch 2024-01 --wait
  go run ./cmd/starter quarantine show retailer --batch 2024-02
  go run ./cmd/starter quarantine replay retailer --batch 2024-02 --data %[4]s/corrected-2024-02.parquet --wait
  go run ./cmd/starter retrain retailer --reason "to see it" --wait
  go run ./cmd/starter release plan retailer
  go run ./cmd/starter release status retailer
  go run ./cmd/starter hold retailer --reason "to see it"
  go run ./cmd/starter resume retailer --reason "seen"
  go run ./cmd/starter rollback retailer --to %[5]s --batch 2024-12 --reason "to see the champion of 2023 back"
  go run ./cmd/starter restore retailer --batch 2024-12 --publication 1 --reason "seen"
  go run ./cmd/starter diff retailer %[5]s %[6]s
  go run ./cmd/starter status retailer
  go run ./cmd/starter report retailer 2024-08 --open
  go run ./cmd/starter report retailer month/2024-10 --open
  go run ./cmd/starter site --out %[4]s/site
  go run ./cmd/starter log retailer
  go run ./cmd/starter verify retailer --all-batches
  go run ./cmd/starter why retailer 2024-08 %[7]s
  go run ./cmd/starter show %[2]s/incoming/retailer/2024-02/part-0000.parquet`,
		t.server.UI(), dir, t.server.Address(), t.dir, papers.Short(t.first), papers.Short(t.second), t.somebody)
}

// bringUp is the command that brings up what the demo has left, at the same addresses.
func (t *story) bringUp() string {
	port := func(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }
	return fmt.Sprintf("go run -C cmd/dev . up --dir %s --port %s --ui-port %s", t.dir, port(t.server.Address()), port(t.server.UI()))
}

// views lists the views of the Web UI over the retailer.
func (t *story) views() string {
	var text strings.Builder
	for _, v := range workflows.Views("retailer") {
		fmt.Fprintf(&text, "\n  %s\n    %s", v.Asks, v.URL(t.server.UI(), devserver.Namespace))
	}
	return text.String()
}
