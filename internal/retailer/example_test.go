package retailer_test

import (
	"fmt"

	"headgate/internal/retailer"
)

func ExampleWorld_Month() {
	shop := retailer.World{Seed: 1, Customers: 20_000}
	rows := int64(0)
	for rec, err := range shop.Month("2024-01") {
		if err != nil {
			fmt.Println(err)
			return
		}
		if rows == 0 {
			fmt.Println(rec.ColumnName(0), rec.Column(0).ValueStr(0))
			fmt.Println(rec.ColumnName(2), rec.Column(2).ValueStr(0))
		}
		rows += rec.NumRows()
	}
	fmt.Println(rows, "customers")
	// Output:
	// customer_id C000000000-00
	// tenure 136.63
	// 20000 customers
}
