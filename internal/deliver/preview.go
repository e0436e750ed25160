package deliver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"headgate/internal/alert"
)

// Preview returns what a receiver would get, for people: without reading what references
// point to, so that a signature is left out. JSON is indented.
func Preview(r alert.Receiver, n alert.Notice) (string, error) {
	var b bytes.Buffer
	if r.Email != nil {
		message, err := compose(*r.Email, n)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "SMTP to the server of %s\n\n", r.Email.Server)
		_, err = message.WriteTo(&b)
		return strings.ReplaceAll(b.String(), "\r\n", "\n"), err
	}
	path := ""
	if r.Alertmanager != nil {
		path = alert.AlertmanagerPath
	}
	fmt.Fprintf(&b, "POST to the URL of %s%s\nContent-Type: application/json\n", r.Refs()["url"], path)
	if r.Webhook != nil {
		fmt.Fprintf(&b, "%s: %s\n%s: %s\n%s: v1,… (by the secret of %s)\n", alert.HeaderID, n.ID, alert.HeaderTimestamp, n.Timestamp(), alert.HeaderSignature, r.Webhook.Secret)
	}
	b.WriteString("\n")
	if err := json.Indent(&b, r.Body(n), "", "  "); err != nil {
		return "", err
	}
	b.WriteString("\n")
	return b.String(), nil
}
