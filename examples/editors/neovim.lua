-- Neovim 0.8 or newer: put this into init.lua.
vim.api.nvim_create_autocmd("FileType", {
  pattern = "yaml",
  callback = function(event)
    vim.lsp.start({ name = "brunt", cmd = { "brunt", "lsp" }, root_dir = vim.fs.dirname(event.file) })
  end,
})
