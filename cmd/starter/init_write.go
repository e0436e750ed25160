package main

import "fmt"

// contract returns the text of contract.yaml.
func (d *draft) contract() []byte {
	d.Intro = fmt.Sprintf(`The data contract of the pipeline %s, in the Open Data Contract Standard 3.1.
Written by "starter init" from %s (%d rows) and the inputs of %s.

What was seen in that one batch: columns, types, where there were no nulls.
What nobody looked at: which values are right. "starter contract infer" guesses that
from a batch; or add it where you know it:

  logicalTypeOptions: { minimum: 0, maximum: 120 }           rows outside go to quarantine
  quality:
    - { metric: invalidValues, arguments: { validValues: [a, b] }, mustBe: 0 }
    - { metric: nullValues, mustBeLessThan: 5, unit: percent }   blocks the batch

and say who may see a column with classification: public, internal, confidential
or restricted.`, d.Name, d.data, d.Rows, d.model)
	return d.YAML()
}

// pipeline returns the text of pipeline.yaml.
func (d *draft) pipeline() []byte {
	return fmt.Appendf(nil, `# The pipeline %[1]s. Written by "starter init"; every key is explained in
# docs/pipeline.md, and described for editors in schemas/pipeline.json.
pipeline: %[1]s
# What the scores are, and who answers for them: pages and alerts say so.
# description: The chance to buy within 30 days.
# owner: a team or a person
contract: contract.yaml
input:
  # Where a batch is, in the store. Or an absolute URL, as in
  # s3://lake/%[1]s/{batch}/*.parquet or file:///data/%[1]s/{batch}/*.parquet
  files: incoming/%[1]s/{batch}/*.parquet
# A batch is a month (2024-01), a day (2024-01-31), or any name.
batch: month
scores:
  # Columns of the batch that are published beside the scores; the key always is.
  keep: []
quarantine:
  # More bad rows than this, and the batch is blocked. Nobody has measured what is
  # normal for your data: start low, and look at what goes to quarantine.
  budget: 1%%
`, d.Name)
}
