package main

// task is what CodeForge's core puts on tasks.agent.<backend>: its own fields and no other.
type task struct {
	TaskID        string            `json:"task_id"`
	ProjectID     string            `json:"project_id"`
	Title         string            `json:"title"`
	Prompt        string            `json:"prompt"`
	Backend       string            `json:"backend"`
	WorkspacePath string            `json:"workspace_path"`
	Config        map[string]string `json:"config"`
}

// result is what the core reads from results.<task_id>. It knows no field but these.
type result struct {
	TaskID    string   `json:"task_id"`
	ProjectID string   `json:"project_id"`
	Status    string   `json:"status"`
	Output    string   `json:"output"`
	Files     []string `json:"files"`
	Error     string   `json:"error"`
	TokensIn  int64    `json:"tokens_in"`
	TokensOut int64    `json:"tokens_out"`
	CostUSD   float64  `json:"cost_usd"`
}

func (r result) ended() bool {
	return r.Status == "completed" || r.Status == "failed" || r.Status == "cancelled"
}
