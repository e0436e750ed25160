// Package gate decides by evidence: may this month be published, and may this
// candidate take its next step. Policies are rules in CEL over typed evidence.
package gate

// A Policy says what the gates of a pipeline ask for.
type Policy struct{}
