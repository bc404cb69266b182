import { linkedFiles, repositoryPage } from '../.vitepress/repository-files.ts'

export default { paths: () => linkedFiles().map(repositoryPage) }
