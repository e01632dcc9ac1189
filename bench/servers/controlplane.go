package servers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	// Admin is the user of a benchmark's own program.
	Admin           = "bench"
	userControllers = "controllers"
)

const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
  - level: Metadata
    users: [%s]
  - level: None
`

// ControlPlane is etcd and kube-apiserver on 127.0.0.1, and kube-controller-manager where it is asked for.
type ControlPlane struct {
	Certs *Authority
	dir   string
	port  int
}

// Users have each a token of its name and every right; those that are audited are in the audit log.
type Users struct {
	Names   []string
	Audited []string
}

// auditLog is the file of the requests of audited users.
func (c *ControlPlane) auditLog() string { return filepath.Join(c.dir, "audit.log") }

// Config is for the user Admin.
func (c *ControlPlane) Config() *rest.Config {
	return &rest.Config{
		Host:            fmt.Sprintf("https://127.0.0.1:%d", c.port),
		BearerToken:     Token(Admin),
		TLSClientConfig: rest.TLSClientConfig{CAFile: c.Certs.Path("ca.crt")},
		// The nodes' part: many pods at once, and no brake but the server's own.
		QPS: -1,
	}
}

// Token is no secret: the server is on this machine, for minutes, and holds nothing.
func Token(user string) string { return "token-of-" + user }

// Kubeconfig writes a file for a user and returns its path.
func (c *ControlPlane) Kubeconfig(user string) (string, error) {
	file := filepath.Join(c.dir, user+".kubeconfig")
	return file, os.WriteFile(file, fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters:
  - name: bench
    cluster: {server: "https://127.0.0.1:%d", certificate-authority: %q}
users:
  - name: %[3]s
    user: {token: %[4]q}
contexts:
  - name: bench
    context: {cluster: bench, user: %[3]s}
current-context: bench
`, c.port, c.Certs.Path("ca.crt"), user, Token(user)), 0o600)
}

// StartControlPlane returns when the API is served.
func StartControlPlane(ctx context.Context, programs *Processes, bin string, users Users) (*ControlPlane, error) {
	c := &ControlPlane{dir: programs.Dir}
	free, err := FreePorts(3)
	if err != nil {
		return nil, err
	}
	c.port = free[0]
	if err := c.writeFiles(users); err != nil {
		return nil, err
	}
	client, peer := fmt.Sprintf("http://127.0.0.1:%d", free[1]), fmt.Sprintf("http://127.0.0.1:%d", free[2])
	if _, err := programs.Start("etcd", nil, filepath.Join(bin, "etcd"),
		"--data-dir="+filepath.Join(c.dir, "etcd"), "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls="+client, "--advertise-client-urls="+client,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=default="+peer); err != nil {
		return nil, err
	}
	if _, err := programs.Start("kube-apiserver", nil, filepath.Join(bin, "kube-apiserver"), c.apiServerArgs(client)...); err != nil {
		return nil, err
	}
	kube, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		return nil, err
	}
	if err := Eventually(ctx, "the API server was ready", 90*time.Second, func() error {
		_, err := kube.CoreV1().Namespaces().Get(ctx, "kube-system", metav1.GetOptions{})
		return err
	}); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *ControlPlane) writeFiles(users Users) error {
	certs, err := newAuthority(filepath.Join(c.dir, "certificates"))
	if err != nil {
		return err
	}
	c.Certs = certs
	for _, name := range []string{"tls", "front-proxy"} {
		if err := certs.sign(name); err != nil {
			return err
		}
	}
	if err := certs.keyPair("service-account"); err != nil {
		return err
	}
	var tokens strings.Builder
	for _, user := range append([]string{Admin, userControllers}, users.Names...) {
		fmt.Fprintf(&tokens, "%s,%s,%s,system:masters\n", Token(user), user, user)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "tokens.csv"), []byte(tokens.String()), 0o600); err != nil {
		return err
	}
	audited := fmt.Sprintf("%q", users.Audited)
	audited = strings.ReplaceAll(strings.Trim(audited, "[]"), " ", ", ")
	return os.WriteFile(filepath.Join(c.dir, "audit.yaml"), fmt.Appendf(nil, auditPolicy, audited), 0o600)
}

func (c *ControlPlane) apiServerArgs(etcd string) []string {
	return []string{
		"--etcd-servers=" + etcd,
		fmt.Sprintf("--secure-port=%d", c.port), "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
		"--tls-cert-file=" + c.Certs.Path("tls.crt"), "--tls-private-key-file=" + c.Certs.Path("tls.key"),
		"--token-auth-file=" + filepath.Join(c.dir, "tokens.csv"),
		// Who may do what is not measured here.
		"--authorization-mode=AlwaysAllow", "--disable-admission-plugins=ServiceAccount",
		"--service-cluster-ip-range=10.0.0.0/24", "--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.Certs.Path("service-account.pub"),
		"--service-account-signing-key-file=" + c.Certs.Path("service-account.key"),
		"--endpoint-reconciler-type=none", "--profiling=false",
		"--requestheader-client-ca-file=" + c.Certs.Path("ca.crt"), "--requestheader-allowed-names=front-proxy",
		"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + c.Certs.Path("front-proxy.crt"), "--proxy-client-key-file=" + c.Certs.Path("front-proxy.key"),
		"--audit-policy-file=" + filepath.Join(c.dir, "audit.yaml"), "--audit-log-path=" + c.auditLog(),
	}
}

// StartControllers: the HPA's settings are Kubernetes' defaults (a look each 15 s). The client's limits are raised, for 150
// pods of three systems at once are made by one controller here, and would queue for each other.
func (c *ControlPlane) StartControllers(programs *Processes, bin string) error {
	file, err := c.Kubeconfig(userControllers)
	if err != nil {
		return err
	}
	_, err = programs.Start("kube-controller-manager", nil, filepath.Join(bin, "kube-controller-manager"),
		"--kubeconfig="+file, "--leader-elect=false", "--secure-port=0", "--profiling=false",
		"--use-service-account-credentials", "--service-account-private-key-file="+c.Certs.Path("service-account.key"),
		"--kube-api-qps=500", "--kube-api-burst=1000",
		"--controllers=deployment-controller,replicaset-controller,horizontal-pod-autoscaler-controller,"+
			"garbage-collector-controller,namespace-controller")
	return err
}
