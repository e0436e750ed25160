package main

import (
	"net/url"
	"strings"
)

// epilogue says where everything is and how to do the same by hand.
func (t *story) epilogue() {
	dir, _ := strings.CutPrefix(t.store, "file://")
	query := url.Values{"query": {`HeadgatePipeline="retailer"`}}
	t.say(`
Look at the runs     %s/namespaces/default/workflows?%s
                     (a run's page shows its scorecard; the list has search attributes)

The published table  %s/scores/retailer
  is a Delta Lake table, partitioned by batch. Read it with any of:
  duckdb      SELECT batch, count(*), avg(score) FROM delta_scan('%[3]s/scores/retailer') GROUP BY batch;
  polars      pl.read_delta("%[3]s/scores/retailer")
  deltalake   DeltaTable("%[3]s/scores/retailer").to_pandas()

The same by hand, in the project's directory, while this runs:
  export HEADGATE_STORE=%[3]s TEMPORAL_ADDRESS=%[4]s
  go run ./cmd/starter register testdata/retailer/pipeline.yaml --model testdata/retailer/champion.txt \
      --golden testdata/retailer/golden.csv --expected testdata/retailer/golden_expected.csv \
      --source "LightGBM 4.6.0" --champion \
      $(for m in 01 02 03 04 05 06 07 08 09 10 11 12; do echo --reference 2023-$m=%[5]s/history/2023-$m/part-0000.parquet; done)
  go run ./cmd/starter score retailer --batch 2024-01 --wait
  go run ./cmd/starter quarantine show retailer --batch 2024-02
  go run ./cmd/starter quarantine replay retailer --batch 2024-02 --data %[5]s/corrected-2024-02.parquet --wait
  go run ./cmd/starter status retailer
  go run ./cmd/starter log retailer
  go run ./cmd/starter verify retailer --all-batches
  go run ./cmd/starter why retailer 2024-01 C000000001-00
  go run ./cmd/starter show %[3]s/incoming/retailer/2024-02/part-0000.parquet`,
		t.server.UI(), query.Encode(), dir, t.server.Address(), t.dir)
}
