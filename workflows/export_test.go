package workflows

// Raise and Resolve are for workflows of tests.
var (
	Raise   = raise
	Resolve = resolve
)
