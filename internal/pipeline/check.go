package pipeline

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"time"

	"headgate/internal/contract"
	"headgate/internal/strictyaml"
)

var anyBatch = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

var batchLayouts = map[BatchKind]string{Month: "2006-01", Day: "2006-01-02"}

// CheckBatch refuses a batch whose name is not of the pipeline's kind.
func (c *Config) CheckBatch(batch string) error {
	layout, dated := batchLayouts[c.Batch]
	if !dated {
		if anyBatch.MatchString(batch) {
			return nil
		}
		return fmt.Errorf("batch %q must be 1 to 100 letters, digits, dots, dashes and underscores, and begin with a letter or digit", batch)
	}
	t, err := time.Parse(layout, batch)
	if err != nil || t.Format(layout) != batch {
		return fmt.Errorf("batch %q is not a %s, as in %s", batch, c.Batch, time.Date(2024, 1, 31, 0, 0, 0, 0, time.UTC).Format(layout))
	}
	return nil
}

// CheckContract refuses a contract that the pipeline cannot run with: one without
// an entity key, or without a column that the pipeline keeps, or with one that it must
// not keep. It returns every problem, joined.
func (c *Config) CheckContract(k *contract.Contract) error {
	var problems []error
	entity := k.Entity()
	if len(entity) == 0 {
		problems = append(problems, errors.New("the contract has no column with mlRole entityKey and no primary key, so a score could not say whose it is"))
	}
	names := make([]string, len(k.Columns))
	for i, col := range k.Columns {
		names[i] = col.Name
	}
	for _, keep := range c.Scores.Keep {
		col, ok := k.Column(keep)
		switch {
		case !ok:
			problems = append(problems, fmt.Errorf("scores.keep: the contract has no column %s%s", keep, strictyaml.Hint(keep, names)))
		case slices.Contains(entity, keep):
			problems = append(problems, fmt.Errorf("scores.keep: %s is the entity key, which is kept in any case", keep))
		case col.Restricted():
			problems = append(problems, fmt.Errorf("scores.keep: %s is restricted, and its values must not leave the input", keep))
		case col.Later():
			problems = append(problems, fmt.Errorf("scores.keep: %s is a %s, which a batch may come without", keep, col.Role()))
		}
	}
	return errors.Join(slices.Concat(problems, c.checkOthers(k), c.checkLearning(k))...)
}

// checkOthers checks what the contract and the pipeline file say of other sets and of
// other batches.
func (c *Config) checkOthers(k *contract.Contract) []error {
	var problems []error
	used := map[string]bool{}
	for _, rel := range k.Relationships {
		if rel.Object == k.Table || used[rel.Object] {
			continue
		}
		used[rel.Object] = true
		if c.References[rel.Object] == "" {
			problems = append(problems, fmt.Errorf("references: the contract's rule %s points to %s; say where its files are, as in references: { %s: \"reference/%s/*.parquet\" }",
				rel.Rule, rel.Object, rel.Object, rel.Object))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.References)) {
		if !used[name] {
			problems = append(problems, fmt.Errorf("references: no relationship of the contract points to %s", name))
		}
	}
	for _, h := range c.History {
		if why := k.CheckHistory(h); why != "" {
			problems = append(problems, fmt.Errorf("history: rule %s: %s", h.ID, why))
		}
	}
	if c.Table != "" && c.Table != k.Table {
		problems = append(problems, fmt.Errorf("table: the contract describes %s, not %s", k.Table, c.Table))
	}
	return problems
}

// CheckOutputs refuses a model whose number of outputs the pipeline cannot publish.
func (c *Config) CheckOutputs(outputs int) error {
	if c.Fallback.Score == FallbackConstant && outputs != 1 {
		return fmt.Errorf("fallback.score: one constant cannot stand for the %d outputs of the model; choose last or none", outputs)
	}
	return nil
}

// Allowed returns how many rows out of total the budget lets go. The share counts as the
// decimal that it was written as: 29% of 100 rows are 29.
func (b Budget) Allowed(total int64) int64 {
	share, ok := new(big.Rat).SetString(strconv.FormatFloat(b.Share, 'g', -1, 64))
	if !ok {
		return 0
	}
	share.Mul(share, new(big.Rat).SetInt64(total))
	n := new(big.Int).Quo(share.Num(), share.Denom()).Int64()
	if b.Rows > 0 {
		n = min(n, b.Rows)
	}
	return n
}

// Exceeded reports whether bad rows out of total are more than the budget.
func (b Budget) Exceeded(bad, total int64) bool { return bad > b.Allowed(total) }

// String returns the budget in words: "1% of the rows, at most 500".
func (b Budget) String() string {
	share, ok := new(big.Rat).SetString(strconv.FormatFloat(b.Share, 'g', -1, 64))
	if !ok {
		return "no rows"
	}
	if share.Sign() == 0 {
		return "no rows"
	}
	percent, _ := share.Mul(share, big.NewRat(100, 1)).Float64()
	s := strconv.FormatFloat(percent, 'g', -1, 64) + "% of the rows"
	switch {
	case b.Rows > 0 && b.Share == 1:
		return fmt.Sprintf("%d rows", b.Rows)
	case b.Rows > 0:
		return fmt.Sprintf("%s, at most %d", s, b.Rows)
	}
	return s
}
