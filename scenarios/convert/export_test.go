package convert

// ConvertWith is for the external tests.
var ConvertWith = convertWith
