package contract

// A Relationship is a foreign key: every row's tuple of Columns must be the tuple
// To of a row of Object. A tuple with a null has no partner to look for.
//
// A [Checker] does not see it, because the other rows are in other files, or further
// down in the same: rows without a partner are found when the whole batch has been
// read, and go to quarantine late. [Counts] has how many they are.
type Relationship struct {
	Rule    string   // id of its rule
	Columns []string // in the files of the batch
	Object  string   // may be the contract's own table
	To      []string // columns in the files of Object, in the order of Columns
}
