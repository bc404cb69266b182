const givenNames = [
  'Amelia',
  'Bashir',
  'Chidi',
  'Dara',
  'Elena',
  'Farid',
  'Grace',
  'Hiro',
  'Ines',
  'Jonas',
  'Kavya',
  'Liam',
  'Mei',
  'Noor',
  'Olga',
  'Pablo',
  'Quinn',
  'Rosa',
  'Samir',
  'Tomás',
  'Uma',
  'Vera',
  'Wen',
  'Yusuf',
  'Zoë',
]
const familyNames = [
  'Adeyemi',
  'Brandt',
  'Costa',
  'Duarte',
  'Eriksen',
  'Fischer',
  'García',
  'Hart',
  'Ivanova',
  'Jansen',
  'Kapoor',
  'Lindqvist',
  'Moreau',
  'Nakamura',
  'O’Brien',
  'Petrov',
  'Rossi',
  'Santos',
  'Tanaka',
  'Vargas',
  'Weber',
  'Yilmaz',
]
const titles = [
  'Account Executive',
  'Designer',
  'Engineer',
  'Finance Analyst',
  'Office Manager',
  'Product Manager',
  'Recruiter',
  'Support Lead',
]

/** Returns a random user for the form, so that you can add a user with one click. */
export function sampleUser() {
  const givenName = one(givenNames)
  const familyName = one(familyNames)
  return { givenName, familyName, email: emailOf(givenName, familyName), title: one(titles) }
}

function emailOf(...names) {
  const letters = names.map((name) =>
    name
      .normalize('NFD')
      .replace(/[^A-Za-z]/g, '')
      .toLowerCase(),
  )
  return `${letters.join('.')}@example.com`
}

function one(items) {
  return items[Math.floor(Math.random() * items.length)]
}
