package main

import (
	"net/url"
	"strings"

	papers "headgate/internal/run"
)

// epilogue says where everything is and how to do the same by hand.
func (t *story) epilogue() {
	dir, _ := strings.CutPrefix(t.store, "file://")
	query := url.Values{"query": {`HeadgatePipeline="retailer"`}}
	t.say(`
Look at the runs     %s/namespaces/default/workflows?%s
                     A run's page shows its scorecard, the list has search attributes:
                     score/retailer/2024-08      a month with the scores of two models
                     evaluate/retailer/2024-05   the labels that revealed the price change
                     retrain/retailer            the trainings
                     release/retailer            steps, verdicts, questions and their answers

The published table  %s/scores/retailer
  is a Delta Lake table, partitioned by batch. Read it with any of:
  duckdb      SELECT batch, count(*), avg(score) FROM delta_scan('%[3]s/scores/retailer') GROUP BY batch;
  polars      pl.read_delta("%[3]s/scores/retailer")
  deltalake   DeltaTable("%[3]s/scores/retailer").to_pandas()

The same by hand, in the project's directory, while this runs:
  export HEADGATE_STORE=%[3]s TEMPORAL_ADDRESS=%[4]s
  go run ./cmd/starter register testdata/retailer/loop.yaml --model testdata/retailer/champion.txt \
      --golden testdata/retailer/golden.csv --expected testdata/retailer/golden_expected.csv \
      --source "LightGBM 4.6.0" --champion \
      $(for m in 01 02 03 04 05 06 07 08 09 10 11 12; do echo --reference 2023-$m=%[5]s/history/2023-$m/part-0000.parquet; done)
  go run ./cmd/starter score retailer --batch 2024-01 --wait
  go run ./cmd/starter quarantine show retailer --batch 2024-02
  go run ./cmd/starter quarantine replay retailer --batch 2024-02 --data %[5]s/corrected-2024-02.parquet --wait
  go run ./cmd/starter retrain retailer --reason "to see it" --wait
  go run ./cmd/starter release plan retailer
  go run ./cmd/starter release status retailer
  go run ./cmd/starter hold retailer --reason "to see it"
  go run ./cmd/starter resume retailer --reason "seen"
  go run ./cmd/starter rollback retailer --to %[6]s --batch 2024-12 --reason "to see the champion of 2023 back"
  go run ./cmd/starter restore retailer --batch 2024-12 --publication 1 --reason "seen"
  go run ./cmd/starter diff retailer %[6]s %[7]s
  go run ./cmd/starter status retailer
  go run ./cmd/starter log retailer
  go run ./cmd/starter verify retailer --all-batches
  go run ./cmd/starter why retailer 2024-08 %[8]s
  go run ./cmd/starter show %[3]s/incoming/retailer/2024-02/part-0000.parquet`,
		t.server.UI(), query.Encode(), dir, t.server.Address(), t.dir, papers.Short(t.first), papers.Short(t.second), t.somebody)
}
