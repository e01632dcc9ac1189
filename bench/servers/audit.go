package servers

import (
	"bufio"
	"encoding/json"
	"os"
	"time"
)

// APIRequest is a line of the audit log.
type APIRequest struct {
	User struct {
		Username string `json:"username"`
	} `json:"user"`
	Verb      string    `json:"verb"`
	Received  time.Time `json:"requestReceivedTimestamp"`
	ObjectRef struct {
		Namespace string `json:"namespace"`
		Resource  string `json:"resource"`
	} `json:"objectRef"`
}

// APIRequests are all of the audited users so far.
func (c *ControlPlane) APIRequests() ([]APIRequest, error) {
	opened, err := os.Open(c.auditLog())
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	var requests []APIRequest
	lines := bufio.NewScanner(opened)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var request APIRequest
		if json.Unmarshal(lines.Bytes(), &request) == nil {
			requests = append(requests, request)
		}
	}
	return requests, lines.Err()
}
