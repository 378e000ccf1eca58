package demo

import (
	"hash/fnv"
	"net/http"
	"strings"
)

const maxIDs = 100 // per request

var (
	firstNames = []string{
		"Ada", "Barbara", "Claude", "Dennis", "Edsger", "Frances", "Grace", "Hedy", "Ivan", "Jean", "Ken", "Leslie",
		"Margaret", "Niklaus",
		"Ole", "Radia",
	}
	lastNames = []string{
		"Allen", "Bartik", "Cerf", "Dahl", "Engelbart", "Floyd", "Goldberg", "Hamilton", "Iverson", "Knuth", "Liskov",
		"McCarthy", "Naur",
		"Perlman", "Ritchie", "Wirth",
	}

	noSuchUser = &problem{status: http.StatusNotFound, text: "no such user"}
)

// A user is the client's view of a user, without the name if it is unavailable.
type user struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

type userList struct {
	Users []user `json:"users"`
}

// newUsers makes the users service. Every valid id is a user, whose name is a function of the id.
func newUsers(p parts) (service, error) {
	return service{routes: map[string]handler{
		"GET /users":                       listUsers,
		"GET /users/{id}":                  readUser,
		"POST /users/{id}/friends/{other}": newFriends(p.env).add,
	}}, nil
}

func listUsers(w http.ResponseWriter, r *http.Request) error {
	ids := strings.Split(r.URL.Query().Get("ids"), ",")
	if len(ids) > maxIDs {
		return &problem{status: http.StatusBadRequest, text: "too many ids in one question"}
	}
	list := userList{Users: make([]user, 0, len(ids))}
	for _, id := range ids {
		if validID(id) {
			list.Users = append(list.Users, user{ID: id, Name: nameOf(id)})
		}
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}

func readUser(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if !validID(id) {
		return noSuchUser
	}
	writeJSON(w, http.StatusOK, user{ID: id, Name: nameOf(id)})
	return nil
}

func nameOf(id string) string {
	h := fnv.New32a()
	h.Write([]byte(id))
	n := h.Sum32()
	return firstNames[n%16] + " " + lastNames[n/16%16]
}
