#!/usr/bin/env bash
# Makes the keys and certificates of this folder anew, with openssl 3.0 or later. They protect nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
rm -f ./*.pem ./*.pub
for name in p256:prime256v1 p384:secp384r1 p521:secp521r1 other:prime256v1; do
    openssl ecparam -name "${name#*:}" -genkey -out "${name%:*}.sec1.pem" # with its EC PARAMETERS block
    openssl pkcs8 -topk8 -nocrypt -in "${name%:*}.sec1.pem" -out "${name%:*}.pem"
    openssl pkey -in "${name%:*}.pem" -pubout -out "${name%:*}.pub"
done
# What is refused.
openssl ecparam -name secp256k1 -genkey -noout -out secp256k1.pem
openssl pkey -in secp256k1.pem -pubout -out secp256k1.pub
openssl genpkey -algorithm ed25519 -out ed25519.pem
openssl pkey -in ed25519.pem -pubout -out ed25519.pub
openssl genrsa -out rsa.pem 2048
openssl rsa -in rsa.pem -traditional -out rsa.pkcs1.pem
openssl pkcs8 -topk8 -passout pass:test -in p256.pem -out encrypted.pem
openssl ec -aes128 -passout pass:test -in p256.pem -out encrypted.sec1.pem
openssl ecparam -name prime256v1 -param_enc explicit -genkey -noout -out explicit.pem

# Certificates: root (P-384) > intermediate (P-521) > leaf (P-256), and faulty relatives.
certify() { # NAME KEY ISSUER ISSUER_KEY DAYS EXTENSIONS
    openssl req -new -key "$2" -subj "/CN=$1" -out request.csr
    local issuer=(-CA "$3" -CAkey "$4")
    [ "$3" = self ] && issuer=(-signkey "$2")
    openssl x509 -req -in request.csr "${issuer[@]}" -set_serial "0x1${#1}" -days "$5" -"${7:-sha256}" \
        -extfile <(printf '%b' "$6") -out "$1.crt.pem"
    rm request.csr
}
authority='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n'
signer='basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n'
long=36500
certify root p384.pem self - $long "$authority" sha384
certify intermediate p521.pem root.crt.pem p384.pem $long "$authority" sha512
certify leaf p256.pem intermediate.crt.pem p521.pem $long "$signer"
certify code-signing p256.pem intermediate.crt.pem p521.pem $long 'basicConstraints=CA:FALSE\nextendedKeyUsage=codeSigning\n'
certify short p256.pem intermediate.crt.pem p521.pem 1 "$signer"
certify useless p256.pem intermediate.crt.pem p521.pem $long 'keyUsage=critical,keyAgreement\n'
certify critical p256.pem intermediate.crt.pem p521.pem $long "${signer}1.2.3.4=critical,ASN1:UTF8String:x\n"
certify below-leaf other.pem leaf.crt.pem p256.pem $long "$signer"
certify no-cert-sign p521.pem root.crt.pem p384.pem $long 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature\n'
certify below-no-cert-sign p256.pem no-cert-sign.crt.pem p521.pem $long "$signer"
certify no-length p384.pem self - $long 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=keyCertSign\n'
certify too-deep p521.pem no-length.crt.pem p384.pem $long "$authority"
certify below-too-deep p256.pem too-deep.crt.pem p521.pem $long "$signer"
certify constrained p521.pem root.crt.pem p384.pem $long "${authority}nameConstraints=permitted;DNS:example.org\n"
certify below-constrained p256.pem constrained.crt.pem p521.pem $long "$signer"
certify lone p256.pem self - $long "$signer"
certify stranger other.pem self - $long "$authority"
openssl req -new -x509 -key other.pem -subj /CN=root -days $long -out impostor.crt.pem # the root's name, another key
certify rsa-root rsa.pem self - $long "$authority"
certify below-rsa p256.pem rsa-root.crt.pem rsa.pem $long "$signer"
cat > README.md <<'TEXT'
# Test keys and certificates

They protect nothing: the private keys are public. `make.sh` makes them anew.
TEXT
openssl genrsa -out rsa1024.pem 1024
certify rsa1024-root rsa1024.pem self - $long "$authority"
certify below-rsa1024 p256.pem rsa1024-root.crt.pem rsa1024.pem $long "$signer"
