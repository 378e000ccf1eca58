package agent

// SettingsOf is settingsOf.
var SettingsOf = settingsOf
