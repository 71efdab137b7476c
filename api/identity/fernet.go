package identity

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
)

// Fernet's fixed numbers: the version byte, and the lengths of the key's two
// halves, the timestamp, the vector and the signature.
const (
	fernetVersion = 0x80
	fernetHalf    = 16
	fernetHeader  = 1 + 8 + aes.BlockSize
	// FernetKeyBytes is the length of a token key.
	FernetKeyBytes = 2 * fernetHalf
	// maxToken bounds a token that is looked at, in characters.
	maxToken = 4096
)

var errToken = errors.New("not a token of this cloud")

// fernetSeal makes a token: signed with the key's first half, encrypted with
// its second. at is in Unix seconds.
func fernetSeal(key, payload []byte, at int64) (string, error) {
	block, err := aes.NewCipher(key[fernetHalf:])
	if err != nil {
		return "", err
	}
	pad := aes.BlockSize - len(payload)%aes.BlockSize
	out := make([]byte, fernetHeader, fernetHeader+len(payload)+pad+sha256.Size)
	out[0] = fernetVersion
	binary.BigEndian.PutUint64(out[1:], uint64(at))
	if _, err := rand.Read(out[9:fernetHeader]); err != nil {
		return "", err
	}
	text := append(append([]byte{}, payload...), make([]byte, pad)...)
	for i := len(payload); i < len(text); i++ {
		text[i] = byte(pad)
	}
	cipher.NewCBCEncrypter(block, out[9:fernetHeader]).CryptBlocks(text, text)
	out = append(out, text...)
	mac := hmac.New(sha256.New, key[:fernetHalf])
	mac.Write(out)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(out)), nil
}

// fernetOpen is fernetSeal's inverse. It takes tokens with and without base64
// padding.
func fernetOpen(key []byte, token string) (payload []byte, at int64, err error) {
	if len(token) > maxToken {
		return nil, 0, errToken
	}
	for len(token) > 0 && token[len(token)-1] == '=' {
		token = token[:len(token)-1]
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < fernetHeader+aes.BlockSize+sha256.Size || raw[0] != fernetVersion {
		return nil, 0, errToken
	}
	body, sign := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	mac := hmac.New(sha256.New, key[:fernetHalf])
	mac.Write(body)
	if !hmac.Equal(mac.Sum(nil), sign) {
		return nil, 0, errToken
	}
	block, err := aes.NewCipher(key[fernetHalf:])
	if err != nil {
		return nil, 0, err
	}
	text := body[fernetHeader:]
	if len(text)%aes.BlockSize != 0 {
		return nil, 0, errToken
	}
	cipher.NewCBCDecrypter(block, body[9:fernetHeader]).CryptBlocks(text, text)
	pad := int(text[len(text)-1])
	if pad == 0 || pad > aes.BlockSize || pad > len(text) {
		return nil, 0, errToken
	}
	return text[:len(text)-pad], int64(binary.BigEndian.Uint64(body[1:9])), nil
}
