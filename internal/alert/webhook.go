package alert

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// message is the body of a webhook: https://www.standardwebhooks.com, "Payload structure".
type message struct {
	Type      string    `json:"type"` // "alert." and the event
	Timestamp time.Time `json:"timestamp"`
	Data      data      `json:"data"`
}

// data is what a webhook says of an alert.
type data struct {
	Fingerprint string    `json:"fingerprint"`
	Event       Event     `json:"event"`
	Note        string    `json:"note,omitempty"`
	Since       time.Time `json:"since"`
	Count       int       `json:"count"`
	Alert
	Steps []Step `json:"steps,omitempty"` // instead of the alert's: what is left to do
}

// JSON returns the notice as the body of a webhook. It does not change while the notice
// is sent again.
func (n Notice) JSON() []byte {
	return encode(message{Type: "alert." + string(n.Event), Timestamp: n.At.UTC(),
		Data: data{Fingerprint: n.Alert.Fingerprint(), Event: n.Event, Note: n.Note, Since: n.Since.UTC(), Count: n.Count, Alert: n.Alert, Steps: n.steps()}})
}

// encode writes JSON without escaping what only HTML needs escaped.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // strings, numbers and times
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Header names of a signed webhook.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// Bounds of a key, in bytes, by Standard Webhooks 1.0.0, "Signature scheme".
const (
	minKey = 24
	maxKey = 64
)

// Keys reads the secret of a webhook: whsec_ and base64, 24 to 64 bytes. While a secret is
// replaced there are two, the new one first, with a space between them. The error says
// nothing of what was read.
func Keys(secret string) ([][]byte, error) {
	var keys [][]byte
	for text := range strings.FieldsSeq(secret) {
		encoded, ok := strings.CutPrefix(text, "whsec_")
		key, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil {
			return nil, errors.New("the secret of a webhook is whsec_ followed by base64, as in: echo whsec_$(openssl rand -base64 32)")
		}
		if len(key) < minKey || len(key) > maxKey {
			return nil, fmt.Errorf("the secret of a webhook must have %d to %d bytes, not %d", minKey, maxKey, len(key))
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("the secret of a webhook is empty")
	}
	return keys, nil
}

// Timestamp returns the value of the header of that name.
func (n Notice) Timestamp() string { return strconv.FormatInt(n.Sent.Unix(), 10) }

// Sign returns the value of the signature header: one signature for each key, as Standard
// Webhooks 1.0.0 define them, HMAC-SHA256 of id, timestamp and body with full stops
// between them.
func (n Notice) Sign(keys [][]byte, body []byte) string {
	var list []string
	for _, key := range keys {
		h := hmac.New(sha256.New, key)
		fmt.Fprintf(h, "%s.%s.", n.ID, n.Timestamp())
		h.Write(body)
		list = append(list, "v1,"+base64.StdEncoding.EncodeToString(h.Sum(nil)))
	}
	return strings.Join(list, " ")
}
