package contract_test

import (
	"testing"

	"headgate/internal/contract"
)

func TestClassified(t *testing.T) {
	for _, tt := range []struct {
		name                   string
		column                 contract.Column
		classified, restricted bool
	}{
		{"nothing is said", contract.Column{}, false, false},
		{"public", contract.Column{Classification: "public"}, false, false},
		{"internal", contract.Column{Classification: "internal"}, false, false},
		{"confidential", contract.Column{Classification: "confidential"}, true, false},
		{"restricted", contract.Column{Classification: "restricted"}, true, true},
		{"personal, and nobody says how secret", contract.Column{PII: "phone"}, true, false},
		{"personal, and said to be internal", contract.Column{PII: "phone", Classification: "internal"}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.column.Classified(); got != tt.classified {
				t.Errorf("Classified is %v", got)
			}
			if got := tt.column.Restricted(); got != tt.restricted {
				t.Errorf("Restricted is %v", got)
			}
		})
	}
}
