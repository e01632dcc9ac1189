package servers

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Authority signs the certificates of one run.
type Authority struct {
	Dir         string
	key         *rsa.PrivateKey
	certificate *x509.Certificate
	serial      int64
}

func newAuthority(dir string) (*Authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	a := &Authority{Dir: dir}
	template := a.template("bench")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	key, err := a.write("ca", template, nil)
	if err != nil {
		return nil, err
	}
	a.key = key
	return a, nil
}

func (a *Authority) template(name string) *x509.Certificate {
	a.serial++
	return &x509.Certificate{
		SerialNumber: big.NewInt(a.serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(48 * time.Hour),
	}
}

// sign makes <dir>/<name>.crt and .key, for serving on this machine and for clients alike.
func (a *Authority) sign(name string) error {
	template := a.template(name)
	template.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	template.DNSNames = []string{"localhost"}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	_, err := a.write(name, template, a.key)
	return err
}

// write signs with the given key, or with the certificate's own.
func (a *Authority) write(name string, template *x509.Certificate, signer *rsa.PrivateKey) (*rsa.PrivateKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	parent := a.certificate
	if signer == nil {
		signer, parent = key, template
		a.certificate = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, err
	}
	if err := a.pem(name+".crt", "CERTIFICATE", der); err != nil {
		return nil, err
	}
	return key, a.pem(name+".key", "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
}

// keyPair makes <dir>/<name>.key and .pub, as service accounts are signed with.
func (a *Authority) keyPair(name string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	if err := a.pem(name+".key", "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)); err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	return a.pem(name+".pub", "PUBLIC KEY", public)
}

func (a *Authority) pem(file, kind string, bytes []byte) error {
	return os.WriteFile(a.Path(file), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600)
}

// Path is of a file in its folder.
func (a *Authority) Path(file string) string { return filepath.Join(a.Dir, file) }
