package lightgbm_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/model"
)

// BenchmarkScore reports rows per second, one goroutine, 28 features.
func BenchmarkScore(b *testing.B) {
	for _, size := range []struct{ trees, leaves int }{{100, 31}, {500, 31}, {100, 255}} {
		b.Run(fmt.Sprintf("%dx%d", size.trees, size.leaves), func(b *testing.B) {
			random := rand.New(rand.NewPCG(1, 2))
			m := parse(b, randomModel(random, 28, size.trees, size.leaves), model.Options{})
			rec := randomRows(random, 28, 16384)
			var scores model.Scores
			b.ReportAllocs()
			for b.Loop() {
				if err := m.Score(&scores, rec); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*16384/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// randomRows is a record of normally distributed doubles in columns f0, f1, ….
func randomRows(random *rand.Rand, features, rows int) arrow.Record {
	fields := make([]arrow.Field, features)
	columns := make([]arrow.Array, features)
	for i := range columns {
		fields[i] = arrow.Field{Name: fmt.Sprint("f", i), Type: arrow.PrimitiveTypes.Float64}
		builder := array.NewFloat64Builder(memory.DefaultAllocator)
		for range rows {
			builder.Append(random.NormFloat64())
		}
		columns[i] = builder.NewArray()
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), columns, int64(rows))
}

// randomModel is a model file whose trees split random features at random places.
func randomModel(random *rand.Rand, features, trees, leaves int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "tree\nversion=v4\nnum_class=1\nmax_feature_idx=%d\nobjective=binary sigmoid:1\nfeature_names=", features-1)
	for i := range features {
		fmt.Fprintf(&b, "f%d ", i)
	}
	b.WriteString("\n\n")
	for t := range trees {
		randomTree(&b, random, features, t, leaves)
	}
	b.WriteString("end of trees\n")
	return b.String()
}

// randomTree grows a tree as LightGBM does: each split turns a random leaf into a node.
func randomTree(b *strings.Builder, random *rand.Rand, features, index, leaves int) {
	type child struct {
		node  int
		right bool
	}
	children := [2][]int{make([]int, leaves-1), make([]int, leaves-1)}
	parents := []child{{node: -1}} // of each leaf
	for node := range leaves - 1 {
		leaf := random.IntN(len(parents))
		if p := parents[leaf]; p.node >= 0 {
			side := 0
			if p.right {
				side = 1
			}
			children[side][p.node] = node
		}
		children[0][node], children[1][node] = ^leaf, ^len(parents)
		parents[leaf] = child{node, false}
		parents = append(parents, child{node, true})
	}
	list := func(key string, n int, value func(i int) any) {
		b.WriteString(key)
		for i := range n {
			fmt.Fprint(b, " ", value(i))
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(b, "Tree=%d\nnum_leaves=%d\nnum_cat=0\n", index, leaves)
	list("split_feature=", leaves-1, func(int) any { return random.IntN(features) })
	list("threshold=", leaves-1, func(int) any { return random.NormFloat64() })
	list("decision_type=", leaves-1, func(int) any { return 8 + 2*random.IntN(2) })
	list("left_child=", leaves-1, func(i int) any { return children[0][i] })
	list("right_child=", leaves-1, func(i int) any { return children[1][i] })
	list("leaf_value=", leaves, func(int) any { return random.NormFloat64() })
	b.WriteString("\n\n")
}
