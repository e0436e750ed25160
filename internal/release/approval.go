package release

import "time"

// An Approval is a person's answer to a question of a release. It is kept as a blob.
type Approval struct {
	Format    int       `json:"format"`
	Pipeline  string    `json:"pipeline"`
	Release   string    `json:"release"`
	Step      string    `json:"step"`
	Model     string    `json:"model"`
	Decision  string    `json:"decision"` // digest of the evidence that was looked at
	Answer    string    `json:"answer"`   // approve or reject
	By        string    `json:"by"`
	Role      string    `json:"role,omitempty"`
	Reason    string    `json:"reason"`
	Nonce     string    `json:"nonce"` // of the question
	Expires   time.Time `json:"expires"`
	Signature string    `json:"signature,omitempty"` // as ssh-keygen -Y sign writes it
}

// Namespace is what answers are signed for: ssh-keygen -Y sign -n headgate.
const Namespace = "headgate"

// Payload returns the bytes that are signed: the answer without its signature as JSON on
// one line, fields in the order of [Approval], <, > and & as they are, the time in UTC
// as RFC 3339, and a newline at the end.
func (a Approval) Payload() []byte {
	return nil
}

// CheckApproval returns nil if the answer counts, or why it is refused, in one sentence.
// An approval must fit the open question; a rejection may come at any time before its
// model is the champion.
func CheckApproval(s *State, set Settings, a Approval, now time.Time) error {
	return nil
}

// CheckControl returns nil if a hold, a resume or a rollback can be obeyed, or why not.
// model and batch are a rollback's, and may be empty.
func CheckControl(s *State, control, model, batch string) error {
	return nil
}

// VerifySignature checks that the armored SSH signature was made over message, for
// [Namespace], with the Ed25519 key, given as in authorized_keys.
func VerifySignature(key, armored string, message []byte) error {
	return nil
}
