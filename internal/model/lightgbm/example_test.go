package lightgbm_test

import (
	"fmt"
	"os"
	"strings"

	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
)

// Score two rows of a CSV file with a model that LightGBM has saved.
func ExampleParse() {
	text, err := os.ReadFile("../../../testdata/golden/lgb-pandas-categorical/model.txt")
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := lightgbm.Parse(text, model.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	rows := strings.NewReader("city,floor,paid,age\nOslo,7,false,71\nAtlantis,3,true,\n")
	var scores model.Scores
	for rec, err := range model.ReadCSV(rows, m.Inputs(), 1000) {
		if err == nil {
			err = m.Score(&scores, rec)
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(m.Objective())
		for _, p := range scores.Pred {
			fmt.Printf("%.4f\n", p)
		}
	}
	// Output:
	// regression
	// 1.7139
	// 0.5274
}
